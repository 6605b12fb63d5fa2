import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { SpillwayError } from '../protocol/errors.ts';
import { say } from './terminal.ts';

export interface ChangeFlags {
  readonly yes?: true;
  readonly reason?: string;
}

/** Gives a command that changes something `--yes` and `--reason`. */
export const withChangeFlags = (command: Command): Command =>
  command.option('-y, --yes', 'does not ask; needed without a terminal').option('--reason <text>', 'why: it stands in the log and in the audit');

/** Whether the person at the terminal, or `--yes`, wants what was shown. @throws SpillwayError without a terminal and without `--yes` */
export async function agreed({ yes }: ChangeFlags, question: string): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Nobody can be asked here, so nothing was changed. To do this without a terminal, add --yes`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      asking.once('close', () => resolve('')); // Ctrl-C, Ctrl-D
      asking.question(`${question} [y/N] `).then(resolve, reject);
    });
    if (/^y(es)?$/i.test(answer.trim())) return true;
  } finally {
    asking.close();
  }
  say('Nothing was changed.');
  return false;
}

/** What `--reason` says, else who did it and with what. */
export function reasonOf({ reason }: ChangeFlags, command: string): string {
  if (reason !== undefined) return reason;
  return `${command}, by ${userName()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'somebody'; // A user id without a name, as in containers.
  }
}
