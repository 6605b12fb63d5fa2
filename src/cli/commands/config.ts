import { Command } from 'commander';
import { environmentOf, flagOf, isOptionKey, isSecret, OPTION_KEYS, shownValue } from '../../core/option-names.ts';
import { OPTIONS, type OptionKey, type ServerOptions } from '../../core/options.ts';
import { resolveServerOptions, unknownOption } from '../../core/resolve-options.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { loadConfiguration } from '../configuration.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import { withExamples } from '../operator-command.ts';
import { print, printJson, printRows } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly dev?: true;
  readonly json?: true;
}

/** `spillway config check|show|explain|defaults` */
export function configCommand(): Command {
  const config = new Command('config').description('Check and explain the configuration');
  config.addCommand(
    withFlags(
      example('check', 'spillway config check -c spillway.yaml', 'before a deployment').description('Says whether `serve` would start with this configuration'),
    ).action(check),
  );
  config.addCommand(
    withFlags(
      example('show', 'spillway config show --dev', 'what `dev` runs with, and why').description('Every option with its value and where the value came from'),
    ).action(show),
  );
  config.addCommand(
    withFlags(
      example('explain', 'spillway config explain limits.perUser', 'one option')
        .description('One option: value, source, default, spellings and what it does')
        .argument('<key>'),
    ).action(explain),
  );
  config.addCommand(
    example('defaults', 'spillway config defaults', 'all of them').description('Every option with its default').option('--json', 'as JSON').action(defaults),
  );
  return config;
}

const example = (name: string, line: string, what: string): Command => withExamples(new Command(name), [[line, what]]);

function withFlags(command: Command): Command {
  command.option('-c, --config <file>', 'YAML, JSON or JavaScript; default: spillway.yaml, .yml, .json or spillway.config.js here');
  command.option('--dev', 'as `dev` would see it, not `serve`').option('--json', 'as JSON');
  return addOptionFlags(command, [], [], '');
}

const load = (flags: Flags, command: Command, checked: boolean) =>
  loadConfiguration({ command: flags.dev ? 'dev' : 'serve', file: flags.config, flags: flagLayer(command), checked });

async function check(flags: Flags, command: Command): Promise<void> {
  await load(flags, command, true);
  if (flags.json) printJson({ ok: true });
  else print('The configuration is good.');
}

async function show(flags: Flags, command: Command): Promise<void> {
  const { options, sources } = await load(flags, command, false);
  if (flags.json) printJson(Object.fromEntries(OPTION_KEYS.map((key) => [key, { value: shown(options, key), source: sources[key] }])));
  else printRows(OPTION_KEYS.map((key) => [key, spelled(shown(options, key)), sources[key]]));
}

async function explain(key: string, flags: Flags, command: Command): Promise<void> {
  if (!isOptionKey(key)) throw new SpillwayError('SPILLWAY_BAD_OPTION', unknownOption(key));
  const { options, sources } = await load(flags, command, false);
  const facts = {
    key,
    does: OPTIONS[key].does,
    value: shown(options, key),
    source: sources[key],
    default: OPTIONS[key].default,
    environment: environmentOf(key),
    flag: flagOf(key),
  };
  if (flags.json) return printJson(facts);
  print(`${key}: ${facts.does}`);
  printRows([
    ['value', `${spelled(facts.value)} (${facts.source})`],
    ['default', spelled(facts.default)],
    ['environment', facts.environment + (isSecret(key) ? `, or ${facts.environment}_FILE` : '')],
    ['flag', facts.flag],
  ]);
}

function defaults(flags: Flags): void {
  const { options } = resolveServerOptions([]);
  if (flags.json) printJson(options);
  else printRows(OPTION_KEYS.map((key) => [key, spelled(at(options, key)), OPTIONS[key].does]));
}

const at = (options: ServerOptions, key: OptionKey): unknown =>
  key.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], options);

function shown(options: ServerOptions, key: OptionKey): unknown {
  const value = at(options, key);
  return isSecret(key) && value !== null ? '[secret]' : shownValue(value);
}

const spelled = (value: unknown): string => (value === null ? '-' : typeof value === 'string' ? value : JSON.stringify(value));
