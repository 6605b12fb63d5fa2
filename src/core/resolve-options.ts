import { SpillwayError } from '../protocol/errors.ts';
import { nearest } from './nearest.ts';
import { isOptionGroup, isOptionKey, isSecret, OPTION_KEYS } from './option-names.ts';
import { describe, readValue } from './option-values.ts';
import { OPTIONS, type OptionKey, type Options, type PartialOptions, type ServerOptions, type TierOptions } from './options.ts';

/** Values of one origin: the command line, the environment, a file. */
export interface Layer {
  /** Said in errors and by `config explain`: `environment`, `spillway.yaml`. */
  readonly source: string;
  readonly values: ReadonlyMap<OptionKey, unknown>;
  /** Everything is text there, numbers and flags too. */
  readonly asText: boolean;
  /** How this origin spells a key, for errors. Default: the key itself. */
  readonly spell?: (key: OptionKey) => string;
}

export interface Resolved {
  readonly options: ServerOptions;
  /** Where each value came from: the `source` of a layer, or `default`. */
  readonly sources: Readonly<Record<OptionKey, string>>;
}

/** Completes and checks what a caller of the library gave; the result is frozen. An unknown key names its nearest neighbour.
 *  `beside`: top-level names that the caller reads itself.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` with all problems in one message. */
export function resolveOptions(input: PartialOptions = {}, beside: readonly string[] = []): Options {
  const problems: string[] = [];
  const own = Object.fromEntries(Object.entries(input).filter(([name]) => !beside.includes(name)));
  const values = flattenOptions(own, 'core', problems);
  const { flat } = settle([{ source: 'code', values, asText: false }], problems);
  report(problems);
  return nest(flat, (key) => OPTIONS[key].scope === 'core') as Options;
}

/** The same for the program: layers in order of precedence, the strongest first. `problems` found while reading them come along in
 *  the one error, and so does what `rules` say about values that are fine by themselves.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` with all problems in one message. */
export function resolveServerOptions(
  layers: readonly Layer[],
  problems: string[] = [],
  rules: (options: ServerOptions) => readonly string[] = () => [],
): Resolved {
  const { flat, sources } = settle(layers, problems);
  const options = nest(flat, () => true) as ServerOptions;
  report([...problems, ...rules(options)]);
  return { options, sources };
}

/** The part of the program's options that the library takes. */
export function libraryOptions(options: ServerOptions): Options {
  const flat = flattenOptions(options, 'server', []);
  return nest(flat, (key) => OPTIONS[key].scope === 'core') as Options;
}

/** Reads a nested object, as files and code have it, into option keys. What is unknown becomes a problem. */
export function flattenOptions(input: unknown, scope: 'core' | 'server', problems: string[]): Map<OptionKey, unknown> {
  const values = new Map<OptionKey, unknown>();
  const known = OPTION_KEYS.filter((key) => scope === 'server' || OPTIONS[key].scope === 'core');
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) {
      problems.push(`Expected \`${path || 'options'}\` to be an object of options, got ${describe(node)}`);
      return;
    }
    for (const [name, value] of Object.entries(node)) {
      const key = path === '' ? name : `${path}.${name}`;
      if (value === undefined) continue;
      if (isOptionKey(key) && known.includes(key)) values.set(key, value);
      else if (isOptionKey(key)) problems.push(`\`${key}\` is an option of the \`spillway\` program, not of the library`);
      else if (isOptionGroup(key)) walk(value, key);
      else problems.push(unknownOption(key, known));
    }
  };
  walk(input, '');
  return values;
}

/** The sentence for a name that no option has. `spell` turns a key into the form the person used. */
export function unknownOption(name: string, known: readonly OptionKey[] = OPTION_KEYS, spell: (key: OptionKey) => string = (key) => key): string {
  const near = nearest(name, known.map(spell));
  return `Unknown option \`${name}\`${near === null ? '; all options are in docs/options.md' : `; did you mean \`${near}\`?`}`;
}

type Flat = Map<OptionKey, unknown>;

function settle(layers: readonly Layer[], problems: string[]): { flat: Flat; sources: Record<OptionKey, string> } {
  const given: Flat = new Map();
  const sources = {} as Record<OptionKey, string>;
  for (const key of OPTION_KEYS) {
    sources[key] = 'default';
    const layer = layers.find(({ values }) => values.get(key) !== undefined);
    if (layer === undefined) continue;
    const raw = layer.values.get(key);
    const read = readValue(OPTIONS[key], raw, layer.asText);
    sources[key] = layer.source;
    if (read.ok) given.set(key, read.value);
    else problems.push(`Expected \`${layer.spell?.(key) ?? key}\` to be ${read.expected}, got ${isSecret(key) ? 'something else' : describe(raw)}`);
  }
  const flat = complete(given);
  for (const check of CHECKS) {
    const problem = check(flat, given);
    if (problem !== null) problems.push(problem);
  }
  return { flat, sources };
}

function report(problems: readonly string[]): void {
  if (problems.length === 1) throw new SpillwayError('SPILLWAY_BAD_OPTION', `${problems[0]}`);
  if (problems.length > 1) throw new SpillwayError('SPILLWAY_BAD_OPTION', `${problems.length} options are wrong:\n${problems.map((p) => `- ${p}`).join('\n')}`);
}

/** Room above the soft limit where only that limit was given: a quarter, as between the two defaults. */
const BURST_SHARE = 1.25;

function complete(given: Flat): Flat {
  const fast = given.get('timing') === 'fast';
  const flat: Flat = new Map();
  for (const key of OPTION_KEYS) {
    const spec: { readonly default: unknown; readonly fast?: number } = OPTIONS[key];
    flat.set(key, given.has(key) ? given.get(key) : fast && spec.fast !== undefined ? spec.fast : spec.default);
  }
  if (!given.has('limits.burst.perUser')) {
    flat.set('limits.burst.perUser', Math.max(OPTIONS['limits.burst.perUser'].default, Math.ceil((flat.get('limits.perUser') as number) * BURST_SHARE)));
  }
  const tiers = given.get('tiers') as Record<string, TierOptions> | undefined;
  if (tiers !== undefined) flat.set('tiers', { ...OPTIONS.tiers.default, ...tiers });
  return flat;
}

type Check = (flat: Flat, given: Flat) => string | null;

/** `left` must stand in `relation` to `right`, or there is no time, room or order in which both can hold. */
function ordered(left: OptionKey, relation: 'at least' | 'more than', right: OptionKey, factor = 1): Check {
  return (flat, given) => {
    const [a, b] = [flat.get(left) as number, flat.get(right) as number];
    if (relation === 'at least' ? a >= b * factor : a > b * factor) return null;
    const times = factor === 1 ? '' : `${factor} times `;
    const from = (key: OptionKey) => (given.has(key) ? '' : ', its default');
    return `Expected \`${left}\` to be ${relation} ${times}\`${right}\` (${b}${from(right)}), got \`${a}\`${from(left)}`;
  };
}

const CHECKS: readonly Check[] = [
  ordered('limits.burst.perUser', 'at least', 'limits.perUser'),
  ordered('health.transportDeadMs', 'more than', 'health.pingEveryMs'),
  ordered('health.clientTimeoutMs', 'more than', 'health.heartbeatMs', 1.2), // heartbeats vary by 20 %
  ordered('health.appDeadMs', 'at least', 'health.appDeadFullMs'),
  ordered('cleanup.slaMs', 'at least', 'cleanup.cutOverMs'),
  ordered('cleanup.cutOverMs', 'at least', 'cleanup.probeRoundMs'),
  ordered('cleanup.watchOn', 'at least', 'cleanup.watchOff'),
  ordered('cleanup.idleMs', 'at least', 'cleanup.idleFullMs'),
  ordered('lease.ttlMs', 'more than', 'lease.renewMs', 2), // one renewal may be lost
  ordered('window.maxBytes', 'at least', 'window.minBytes'),
];

function nest(flat: Flat, wanted: (key: OptionKey) => boolean): unknown {
  const root: Record<string, unknown> = {};
  for (const [key, value] of flat) {
    if (!wanted(key)) continue;
    const path = key.split('.');
    const last = path.pop() as string;
    let node = root;
    for (const part of path) {
      node[part] ??= {};
      node = node[part] as Record<string, unknown>;
    }
    node[last] = value;
  }
  return frozen(root);
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
