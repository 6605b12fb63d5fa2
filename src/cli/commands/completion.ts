import { Command } from 'commander';
import { SpillwayError } from '../../protocol/errors.ts';
import { completionScript, SHELLS } from '../completion.ts';
import { withExamples } from '../operator-command.ts';
import { print } from '../terminal.ts';

/** `spillway completion` */
export function completionCommand(): Command {
  const command = new Command('completion')
    .description('Prints a script that completes this program’s commands and flags')
    .argument('<shell>', SHELLS.join(', '));
  return withExamples(command, [
    ['eval "$(spillway completion bash)"', 'in this bash; for good: in ~/.bashrc'],
    ['spillway completion zsh > ~/.zfunc/_spillway', 'zsh, with fpath+=~/.zfunc before compinit'],
    ['spillway completion fish > ~/.config/fish/completions/spillway.fish', 'fish'],
  ]).action((shell: string, _flags: object, self: Command) => {
    const known = SHELLS.find((one) => one === shell);
    if (known === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected one of ${SHELLS.join(', ')}, got \`${shell}\``);
    print(completionScript(known, rootOf(self)));
  });
}

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent));
