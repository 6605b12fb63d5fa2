import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const WITHIN_MS = 10_000;

/** Runs a program of the system to its end without blocking this process, and says what it printed.
 *  @throws an error that holds what it said, if it fails or takes too long. */
export async function run(...[program = '', ...args]: readonly string[]): Promise<string> {
  try {
    return (await execute(program, args, { timeout: WITHIN_MS })).stdout;
  } catch (error) {
    const { stderr = '', message } = error as { readonly stderr?: string; readonly message: string };
    throw new Error(`Expected \`${[program, ...args].join(' ')}\` to succeed. ${lastLine(stderr) || lastLine(message)}`, { cause: error });
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Null if it succeeds, else its last word. */
export async function reasonAgainst(...command: readonly string[]): Promise<string | null> {
  try {
    await run(...command);
    return null;
  } catch (error) {
    const { stderr = '', message } = (error as { readonly cause: { readonly stderr?: string; readonly message: string } }).cause;
    return lastLine(stderr) || lastLine(message);
  }
}
