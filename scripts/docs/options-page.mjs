import { environmentOf, flagOf, OPTION_KEYS } from '../../src/core/option-names.ts';
import { OPTIONS } from '../../src/core/options.ts';
import { cell } from './markdown.mjs';

/** docs/options.md, from the table of options. */
export function optionsPage() {
  const core = OPTION_KEYS.filter((key) => OPTIONS[key].scope === 'core');
  const server = OPTION_KEYS.filter((key) => OPTIONS[key].scope === 'server');
  return `# Options

<!-- Made from src/core/options.ts by scripts/generate-docs.mjs; change it there. -->

Every option has one key and three mechanical spellings: \`limits.burst.forMs\` in a file or in code,
\`${environmentOf('limits.burst.forMs')}\` in the environment, \`${flagOf('limits.burst.forMs')}\` on the command line. Flags win
over the environment, the environment over the file, the file over the defaults. \`spillway config show\` prints every value
and where it came from, \`spillway config explain KEY\` one of them with what it does, \`spillway config check\` says whether
\`serve\` would start.

- **File**: \`-c FILE\`, else \`spillway.yaml\`, \`spillway.yml\`, \`spillway.json\` or \`spillway.config.js\` in the working directory.
- **Units** stand in the name: a bare number is in milliseconds or bytes. Text may bring its own unit: \`500ms\`, \`60s\`, \`15min\`, \`2h\`,
  \`30d\`; \`64KiB\`, \`1MiB\`.
- **Secrets** may be read from a file: the variable with \`_FILE\` behind its name, such as \`${environmentOf('auth.jwtSecret')}_FILE\`. They
  are never printed.
- **Lists** are separated by commas on the command line and in the environment.
- \`PORT\` is read too, as a weaker \`${environmentOf('listen')}\`, and \`REDIS_URL\`, as a weaker \`${environmentOf('store')}\`.
- An unknown key, flag or command is an error that names the nearest one; all problems come in one message. An unknown
  \`SPILLWAY_…\` variable is a warning.

\`spillway dev\` assumes \`listen\` 127.0.0.1:8787 and \`auth.mode\` dev. \`--port\` is short for \`--listen\` with a port, \`--agent\` for
\`--agent.kind\`, \`--admin-port\` for \`--admin.listen\` on this machine, and \`--data memory\` keeps nothing. Left out, the
port of \`admin.listen\` is the one after \`listen\` in \`dev\`, and any free one where \`listen\` asks for port 0. Where only \`limits.perUser\` is set, \`limits.burst.perUser\` is at least a quarter above it.

## In the library and in the program

The second column of defaults counts under \`timing: fast\`, where it differs.

| key | default | fast | what it does |
| --- | --- | --- | --- |
${core.map((key) => `| \`${key}\` | ${spelled(key)} | ${fast(key)} | ${cell(OPTIONS[key].does)} |`).join('\n')}

## In the program only

| key | default | what it does |
| --- | --- | --- |
${server.map((key) => `| \`${key}\` | ${spelled(key)} | ${cell(OPTIONS[key].does)} |`).join('\n')}
`;
}

function spelled(key) {
  const spec = OPTIONS[key];
  if (spec.default === null) return 'none';
  if (spec.kind === 'ms') return time(spec.default);
  if (spec.kind === 'bytes') return size(spec.default);
  if (spec.kind === 'tiers')
    return Object.entries(spec.default)
      .map(([name, tier]) => `${name} ${tier.weight}${tier.protected ? ', protected' : ''}`)
      .join('; ');
  if (Array.isArray(spec.default)) return spec.default.length === 0 ? 'none' : spec.default.join(', ');
  return typeof spec.default === 'number' ? number(spec.default) : `\`${spec.default}\``;
}

function fast(key) {
  const spec = OPTIONS[key];
  return spec.fast === undefined ? '' : time(spec.fast);
}

function time(ms) {
  const [unit, factor] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ].find(([, f]) => ms >= f && ms % f === 0) ?? ['ms', 1];
  return `${number(ms / factor)} ${unit}`;
}

function size(bytes) {
  const [unit, factor] = [
    ['MiB', 1_048_576],
    ['KiB', 1_024],
  ].find(([, f]) => bytes >= f && bytes % f === 0) ?? ['B', 1];
  return `${number(bytes / factor)} ${unit}`;
}

function number(n) {
  return String(n).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ',');
}
