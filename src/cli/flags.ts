import { type Command, Option } from 'commander';
import { flagOf, OPTION_KEYS } from '../core/option-names.ts';
import { OPTIONS, type OptionKey } from '../core/options.ts';
import type { Layer } from '../core/resolve-options.ts';

/** Short spellings of some options, and the key each stands for. */
const SHORT = {
  '--port <port>': { key: 'listen', does: 'port of the public listener' },
  '--admin-port <port>': { key: 'admin.listen', does: 'port of the listener for operators, on this machine only' },
  '--agent <kind>': { key: 'agent.kind', does: 'who answers: embedded or openai-compatible' },
} as const;
export type ShortFlag = keyof typeof SHORT;

const COLLECTED = Symbol('values of option flags');
type Collecting = Command & { [COLLECTED]?: Map<OptionKey, unknown> };

/** Gives a command a flag for every option: those in `shown` appear in its help, the others work too. */
export function addOptionFlags(command: Command, shown: readonly OptionKey[], short: readonly ShortFlag[], host: string): Command {
  const collected = new Map<OptionKey, unknown>();
  (command as Collecting)[COLLECTED] = collected;
  const add = (flags: string, does: string, key: OptionKey, hidden: boolean, spell: (text: string) => string) => {
    const option = new Option(flags, does).hideHelp(hidden).argParser((text: string) => {
      collected.set(key, spell(text));
      return text;
    });
    // A flag option without a value means `true`.
    if (OPTIONS[key].kind === 'flag') option.preset('true');
    command.addOption(option);
  };
  for (const name of short) {
    const { key, does } = SHORT[name];
    const spell = { listen: (text: string) => `${host}:${text}`, 'admin.listen': (text: string) => `127.0.0.1:${text}`, 'agent.kind': (text: string) => text };
    add(name, does, key, false, spell[key]);
  }
  for (const key of OPTION_KEYS) {
    const spec = OPTIONS[key];
    const hint = spec.kind === 'flag' ? '[true|false]' : spec.kind === 'choice' ? `<${spec.of.join('|')}>` : '<value>';
    add(`${flagOf(key)} ${hint}`, spec.does, key, !shown.includes(key), (text) => text);
  }
  return command;
}

/** What the flags of this call set. */
export function flagLayer(command: Command): Layer {
  return { source: 'flag', values: (command as Collecting)[COLLECTED] ?? new Map(), asText: true, spell: flagOf };
}
