import { Command } from 'commander';
import { VERSION } from '../../gateway/version.ts';
import { withExamples } from '../operator-command.ts';
import { print, printJson } from '../terminal.ts';

/** `spillway version` */
export function versionCommand(): Command {
  const command = new Command('version').description('The version of this program').option('--json', 'as JSON');
  return withExamples(command, [['spillway version --json', 'with that of Node']]).action(({ json }: { readonly json?: true }) => {
    if (json) printJson({ version: VERSION, node: process.versions.node });
    else print(VERSION);
  });
}
