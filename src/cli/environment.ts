import { readFileSync } from 'node:fs';
import { nearest } from '../core/nearest.ts';
import { environmentOf, isSecret, OPTION_KEYS } from '../core/option-names.ts';
import type { OptionKey } from '../core/options.ts';
import type { Layer } from '../core/resolve-options.ts';

/** Environment variables of ours that are no options: they steer `npm test`. */
const NO_OPTIONS: readonly string[] = ['SPILLWAY_NO_INSTALL', 'SPILLWAY_REQUIRE_TOOLS', 'SPILLWAY_TEST_COUNTS'];

export interface EnvironmentLayers {
  /** Strongest first. */
  readonly layers: readonly Layer[];
  readonly warnings: readonly string[];
}

/** `SPILLWAY_…` for every option, `SPILLWAY_…_FILE` for secrets in files, `PORT` as a weaker `SPILLWAY_LISTEN` and `REDIS_URL`
 *  as a weaker `SPILLWAY_STORE`. An empty
 *  variable counts as not set, as container tools pass unset ones. Variables that nothing reads become warnings, unreadable
 *  files problems. */
export function readEnvironment(env: NodeJS.ProcessEnv, host: string, problems: string[]): EnvironmentLayers {
  const values = new Map<OptionKey, unknown>();
  const read = new Set(NO_OPTIONS);
  for (const key of OPTION_KEYS) {
    const name = environmentOf(key);
    read.add(name);
    if (env[name]) values.set(key, env[name]);
    if (!isSecret(key)) continue;
    read.add(`${name}_FILE`);
    const file = env[`${name}_FILE`];
    if (!file) continue;
    if (env[name]) problems.push(`Expected one of \`${name}\` and \`${name}_FILE\`, got both`);
    else values.set(key, secretFrom(file, `${name}_FILE`, problems));
  }
  const layers: Layer[] = [{ source: 'environment', values, asText: true, spell: environmentOf }];
  if (env.PORT) layers.push(portLayer(env.PORT, host, problems));
  if (env.REDIS_URL) layers.push({ source: 'REDIS_URL', values: new Map([['store', env.REDIS_URL]]), asText: true, spell: () => 'REDIS_URL' });
  const warnings = Object.keys(env)
    .filter((name) => name.startsWith('SPILLWAY_') && !read.has(name))
    .map((name) => {
      const near = nearest(name, read);
      return `nothing reads the environment variable ${name}${near === null ? '' : `; did you mean ${near}?`}`;
    });
  return { layers, warnings };
}

function secretFrom(file: string, name: string, problems: string[]): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (secret !== '') return secret;
    problems.push(`Expected \`${name}\` to name a file with a secret, got the empty file ${file}`);
  } catch (error) {
    problems.push(`Expected \`${name}\` to name a readable file: ${(error as Error).message}`);
  }
  return undefined;
}

function portLayer(port: string, host: string, problems: string[]): Layer {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) problems.push(`Expected \`PORT\` to be a port from 0 to 65535, got \`${port}\``);
  return { source: 'PORT', values: new Map([['listen', `${host}:${port}`]]), asText: true, spell: () => 'PORT' };
}

/** Where we run, as Google Cloud says it: on Cloud Run, or wherever `GOOGLE_CLOUD_PROJECT` names the project. Null: elsewhere. */
export function googleCloud({ GOOGLE_CLOUD_PROJECT: project, K_SERVICE: service }: NodeJS.ProcessEnv): { readonly project: string | null } | null {
  return project || service ? { project: project || null } : null;
}
