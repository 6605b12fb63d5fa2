import { Command } from 'commander';
import { type AdminClient, AdminProblem } from '../admin/index.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { DEFAULT_URL, type Target, targetAt } from './target.ts';
import { say } from './terminal.ts';

/** What a command that asks a running gateway works with. */
export interface Job<F = object> extends Target {
  readonly client: AdminClient;
  /** Answers as JSON, as the admin API gives them. */
  readonly json: boolean;
  /** Standard output is read by a person, as tables. */
  readonly isTerminal: boolean;
  readonly flags: F;
}

export type Example = readonly [line: string, what: string];

const EXAMPLES = new WeakMap<Command, readonly Example[]>();

/** The examples of a command, for the page about all of them. */
export const examplesOf = (command: Command): readonly Example[] => EXAMPLES.get(command) ?? [];

/** Puts examples in front of a command's help. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  EXAMPLES.set(command, examples);
  const width = Math.max(...examples.map(([line]) => line.length));
  return command.addHelpText('before', `Examples\n${examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')}\n`);
}

/** A command that asks a running gateway: it knows `--url` and `--json`. */
export function gatewayCommand(name: string, does: string, examples: readonly Example[]): Command {
  const command = new Command(name).description(does);
  command.option('--url <address>', 'of the operators’ port', DEFAULT_URL).option('--json', 'as JSON');
  return withExamples(command, examples);
}

type Flags = { readonly url: string; readonly json?: true };

/** The action of such a command. What the gateway refuses is said with what helps, and becomes the exit status. */
export function onGateway<F>(act: (job: Job<F>, ...args: string[]) => Promise<void>): (...args: unknown[]) => Promise<void> {
  return async (...all) => {
    const flags = all.at(-2) as F & Flags;
    const target = targetAt(flags.url);
    const job = { ...target, json: flags.json === true, isTerminal: process.stdout.isTTY === true && flags.json !== true, flags };
    try {
      await act(job, ...(all.slice(0, -2) as string[]));
      tellLate(target);
    } catch (error) {
      if (!AdminProblem.is(error)) throw error;
      process.exitCode = tell(error, target);
    }
  };
}

/** A smaller number than the true one is never shown without a word. */
function tellLate({ late }: Target): void {
  if (late.size === 0) return;
  say(`${[...late].join(', ')} did not answer: nothing of ${late.size === 1 ? 'that node' : 'those nodes'} is in what is shown.`);
  process.exitCode ||= EXIT.partly;
}

/** Says what was refused and what helps. */
export function tell(problem: AdminProblem, target: Target): ExitCode {
  say(`spillway: ${problem.detail}`);
  for (const { manager, change } of problem.differences) say(`  ${manager}: ${change}`);
  const help = helpFor(problem, target);
  if (help !== null) say(help);
  return exitOf(problem);
}

export function exitOf(problem: AdminProblem): ExitCode {
  const { code, status } = problem;
  if (code === 'unreachable' || isPublicPort(problem)) return EXIT.unreachable;
  if (code === 'forbidden' || code === 'protected' || code === 'plan-stale') return EXIT.refused;
  return code === 'bad-request' && status === 400 ? EXIT.usage : EXIT.failed;
}

/** The public port lists its own paths when it is asked for one that it does not have. */
const isPublicPort = ({ code, detail }: AdminProblem): boolean => code === 'not-found' && detail.includes('`/openapi.json`');

function helpFor(problem: AdminProblem, { key, keyFrom, url }: Target): string | null {
  const { code, status } = problem;
  if (isPublicPort(problem))
    return `${url} is the port for people; operators have their own, by default ${DEFAULT_URL}. Say where it is: --url http://HOST:PORT`;
  if (code === 'unreachable') {
    return status === null
      ? 'Start one with `spillway dev` (in a clone: `npm start`). If yours listens elsewhere, say where: --url http://HOST:PORT'
      : `Expected the operators’ port there, by default ${DEFAULT_URL}. Say where it is: --url http://HOST:PORT`;
  }
  if (code === 'unauthorized' && key === null)
    return 'Run this in the folder of the gateway, where ./.spillway/admin-key is, or give the key: SPILLWAY_ADMIN_TOKEN_FILE=FILE or SPILLWAY_ADMIN_TOKEN=KEY';
  if (code === 'unauthorized') return `The key came from ${keyFrom}; the gateway at ${url} has another.`;
  if (code === 'credential-expired') return `The token came from ${keyFrom}. A new one: spillway token create --role ROLE --ttl 8h`;
  if (code === 'forbidden') return `The key came from ${keyFrom}.`;
  return code === 'plan-stale' ? 'Nothing was changed. Run the command again to see how it is now.' : null;
}
