import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What may come behind the words so far: commands below, or flags. */
interface Place {
  /** `''`, `/users`, `/users/list`. */
  readonly at: string;
  readonly words: readonly { readonly word: string; readonly does: string }[];
}

/** A script for a shell that completes commands and the flags that their help shows. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, '');
  return { bash, zsh, fish }[shell](places);
}

function placesOf(command: Command, at: string): Place[] {
  const words = [
    ...command.commands.map((one) => ({ word: one.name(), does: one.description() })),
    ...command.options.filter(({ hidden }) => !hidden).map((option) => ({ word: option.long ?? option.short ?? '', does: option.description })),
    { word: '--help', does: 'prints this' },
  ];
  return [{ at, words }, ...command.commands.flatMap((one) => placesOf(one, `${at}/${one.name()}`))];
}

const paths = (places: readonly Place[], between: string): string =>
  places
    .map(({ at }) => at)
    .filter((at) => at !== '')
    .join(between);

const bash = (places: readonly Place[]): string => `# Completes spillway in bash. eval "$(spillway completion bash)"
_spillway() {
  local at='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in
      ${paths(places, ' | ')}) at="$at/$word" ;;
    esac
  done
  case "$at" in
${places.map(({ at, words }) => `    '${at}') words='${words.map(({ word }) => word).join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _spillway spillway`;

const zsh = (places: readonly Place[]): string => `#compdef spillway
# Completes spillway in zsh: as a file _spillway in a folder of fpath.
_spillway() {
  local at='' word
  local -a commands flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at/$word" in
      ${paths(places, '|')}) at="$at/$word" ;;
    esac
  done
  case "$at" in
${places.map(({ at, words }) => `    '${at}') commands=(${described(words, false)}) flags=(${described(words, true)}) ;;`).join('\n')}
  esac
  if [[ "$PREFIX" == -* ]]; then _describe -o flag flags
  elif (( $#commands )); then _describe command commands
  else _files; fi
}
if [[ "$funcstack[1]" == _spillway ]]; then _spillway "$@"; else compdef _spillway spillway; fi`;

const fish = (places: readonly Place[]): string => `# Completes spillway in fish: as completions/spillway.fish in its configuration.
function __spillway_at
  set -l at ''
  set -l words (commandline -opc)
  for word in $words[2..]
    switch "$at/$word"
      case ${paths(places, ' ')}
        set at "$at/$word"
    end
  end
  test "$at" = "$argv[1]"
end
${places
  .flatMap(({ at, words }) =>
    words.map(({ word, does }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : word.startsWith('-') ? `-s ${word.slice(1)}` : `-f -a ${word}`;
      return `complete -c spillway -n "__spillway_at '${at}'" ${what} -d ${quotedFish(does)}`;
    }),
  )
  .join('\n')}`;

const described = (words: Place['words'], areFlags: boolean): string =>
  words
    .filter(({ word }) => word.startsWith('-') === areFlags)
    .map(({ word, does }) => quoted(`${word.replaceAll(':', '\\:')}:${does}`))
    .join(' ');
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const quotedFish = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
