import type { OptionKey } from '../core/options.ts';
import { type Layer, type Resolved, resolveServerOptions } from '../core/resolve-options.ts';
import { readConfigFile } from './config-file.ts';
import { readEnvironment } from './environment.ts';
import { parseListen } from './listen-address.ts';
import { startProblems } from './start-rules.ts';
import { say } from './terminal.ts';

/** `dev` and `serve` differ in a few defaults. */
export type Command = 'dev' | 'serve';

/** What `dev` assumes where nobody says otherwise: reachable from this machine only, accounts of its own, drills on. */
const DEV_DEFAULTS: ReadonlyMap<OptionKey, unknown> = new Map<OptionKey, unknown>([
  ['listen', '127.0.0.1:8787'],
  ['auth.mode', 'dev'],
  ['drills', true],
]);

export interface ConfigurationRequest {
  readonly command: Command;
  readonly flags: Layer;
  /** Of `--config`. */
  readonly file?: string | undefined;
  /** Whether what forbids a start is a problem too. */
  readonly checked: boolean;
}

/** Options from flags, environment, file and defaults, in this order of precedence. Warnings are said at once.
 *  @throws SpillwayError `SPILLWAY_BAD_OPTION` with all problems in one message. */
export async function loadConfiguration({ command, flags, file, checked }: ConfigurationRequest): Promise<Resolved> {
  const problems: string[] = [];
  const environment = readEnvironment(process.env, hostOf(command), problems);
  const fromFile = await readConfigFile(file, problems);
  for (const warning of environment.warnings) say(`warning: ${warning}`);
  const layers = [flags, ...environment.layers, ...(fromFile === null ? [] : [fromFile])];
  if (command === 'dev') layers.push({ source: 'default of dev', values: DEV_DEFAULTS, asText: false });
  layers.push({ source: 'default', values: derivedDefaults(layers, command), asText: false });
  return resolveServerOptions(layers, problems, (options) => (checked ? startProblems(options, command) : []));
}

/** Where a bare port listens. */
export const hostOf = (command: Command): string => (command === 'dev' ? '127.0.0.1' : '');

/** The store lies in the data folder, wherever that is; `--data memory` keeps nothing. The operators' port of `dev` is the next
 *  after the public one, and where the public one is any, so is theirs. */
function derivedDefaults(layers: readonly Layer[], command: Command): Map<OptionKey, unknown> {
  const given = (key: OptionKey): unknown => layers.map(({ values }) => values.get(key)).find((value) => value !== undefined);
  const derived = new Map<OptionKey, unknown>();
  const data = given('data');
  if (typeof data === 'string') derived.set('store', data === 'memory' ? 'memory' : `sqlite:${data}/spillway.sqlite`);
  const listen = given('listen');
  const port = typeof listen === 'string' ? parseListen(listen)?.port : undefined;
  if (port === 0) derived.set('admin.listen', '127.0.0.1:0');
  else if (command === 'dev' && port !== undefined && port < 65_535) derived.set('admin.listen', `127.0.0.1:${port + 1}`);
  return derived;
}
