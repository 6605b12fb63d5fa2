import { isSecret, OPTION_KEYS, shownValue } from '../core/option-names.ts';
import { OPTIONS, type OptionKey, type Options, type PartialOptions } from '../core/options.ts';
import { flattenOptions, type Resolved } from '../core/resolve-options.ts';

/** One option as it counts. */
export interface ConfigurationEntry {
  readonly key: string;
  /** `[secret]` for a secret that is set. */
  readonly value: unknown;
  /** Where it came from: `default`, `environment`, a file, `code`. */
  readonly source: string;
  /** What the option does. */
  readonly does: string;
}

/** What the program resolved, as operators may see it. */
export const configurationOf = ({ options, sources }: Resolved): readonly ConfigurationEntry[] => OPTION_KEYS.map((key) => entryOf(key, options, sources[key]));

/** The options of a gateway made in code: `given` by the caller, the rest by default. */
export function configurationInCode(options: Options, given: PartialOptions): readonly ConfigurationEntry[] {
  const named = flattenOptions(given, 'core', []);
  return OPTION_KEYS.filter((key) => OPTIONS[key].scope === 'core').map((key) => entryOf(key, options, named.has(key) ? 'code' : 'default'));
}

function entryOf(key: OptionKey, options: object, source: string): ConfigurationEntry {
  const value = key.split('.').reduce<unknown>((node, part) => (node as Readonly<Record<string, unknown>>)[part], options);
  return { key, value: isSecret(key) && value !== null ? '[secret]' : shownValue(value), source, does: OPTIONS[key].does };
}
