import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { SpillwayError } from '../../protocol/errors.ts';
import { withExamples } from '../operator-command.ts';

/** Of a clone; the published package has none. */
const BENCH = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));

/** `spillway bench` */
export function benchCommand(): Command {
  const command = new Command('bench').description('Measures this machine beside bare ws and Socket.IO doing the same duty; only in a clone');
  command.argument('<names...>', 'stream, storm, echo, memory, or one of their variants').allowUnknownOption();
  return withExamples(command, [
    ['spillway bench stream', 'events a second'],
    ['spillway bench storm --reps 2', 'many who connect at once; flags go to the benchmark'],
  ]).action(bench);
}

async function bench(_names: readonly string[], _flags: object, command: Command): Promise<void> {
  if (!existsSync(BENCH)) {
    throw new SpillwayError(
      'SPILLWAY_MISSING_PACKAGE',
      'Expected the folder `bench`, which only a clone of the repository has, because it brings the rivals along. Clone it and run `npm run bench -- stream`.',
    );
  }
  const child = spawn(process.execPath, [BENCH, ...command.args], { stdio: 'inherit' });
  // Ctrl-C reaches the child from the terminal; it cleans up, then we end with it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}
