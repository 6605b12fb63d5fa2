import { Command, CommanderError } from 'commander';
import { nearest } from '../core/nearest.ts';
import { flagOf, OPTION_KEYS } from '../core/option-names.ts';
import { VERSION } from '../gateway/version.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { alertsCommand } from './commands/alerts.ts';
import { apiCommand } from './commands/api.ts';
import { auditCommand } from './commands/audit.ts';
import { benchCommand } from './commands/bench.ts';
import { checkCommand } from './commands/check.ts';
import { cleanupCommand } from './commands/cleanup.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { devCommand } from './commands/dev.ts';
import { doctorCommand } from './commands/doctor.ts';
import { drillCommand } from './commands/drill.ts';
import { eventsCommand } from './commands/events.ts';
import { logCommand } from './commands/log.ts';
import { managersCommand } from './commands/managers.ts';
import { nodesCommand } from './commands/nodes.ts';
import { queueCommand } from './commands/queue.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { topCommand } from './commands/top.ts';
import { usersCommand } from './commands/users.ts';
import { versionCommand } from './commands/version.ts';
import { CHECK_EXIT, EXIT, type ExitCode } from './exit-codes.ts';
import { examplesOf, withExamples } from './operator-command.ts';
import { say } from './terminal.ts';

const EXAMPLES = `Examples
  spillway dev                                        gateway, chat page and demo agent on this machine
  spillway dev --agent openai-compatible --agent.base-url http://127.0.0.1:11434/v1 --agent.model llama3.2
  spillway serve -c spillway.yaml                     a gateway for others
  spillway config explain limits.perUser              what an option does and where its value comes from
  spillway token create --user ada                    an access token for a script
  spillway users show ada                             why is she at her limit? who was closed, and why?
  spillway cleanup show cln_…                         who went, who stayed, on what evidence
`;

/** Every command, in the order of the help. */
export const COMMANDS: readonly (readonly [heading: string, commands: readonly (() => Command)[]])[] = [
  ['Run a gateway:', [devCommand, serveCommand, configCommand, tokenCommand]],
  [
    'Look at one that runs:',
    [statusCommand, topCommand, usersCommand, managersCommand, queueCommand, nodesCommand, eventsCommand, logCommand, alertsCommand, auditCommand],
  ],
  ['Act on one that runs:', [cleanupCommand, drillCommand, apiCommand]],
  ['Besides:', [checkCommand, doctorCommand, benchCommand, completionCommand, versionCommand]],
];

/** Runs one command line; resolves to the exit status. Prints what went wrong to standard error. */
export async function runProgram(args: readonly string[]): Promise<ExitCode | number> {
  // Whoever read our output has seen enough, as `head` has: no failure of ours.
  process.stdout.on('error', () => {});
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    // To those who read the status of `check`, 2 means that the gateway is in trouble, not that they misspelt something.
    const misuse = args[0] === 'check' ? CHECK_EXIT.unknown : EXIT.usage;
    if (error instanceof CommanderError) return usage(error, program, args) === EXIT.done ? EXIT.done : misuse;
    if (!SpillwayError.is(error)) throw error;
    say(`spillway: ${error.message}`);
    return error.code === 'SPILLWAY_BAD_OPTION' ? misuse : EXIT.failed;
  }
}

/** The program with all its commands. */
export function createProgram(): Command {
  const program = new Command('spillway').description('WebSocket sessions for AI chat that never lock a user out.');
  program
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', '\nEvery option is also a flag, an environment variable and a key of the configuration file: spillway config defaults');
  program.version(VERSION, '-v, --version', 'prints the version');
  for (const [heading, commands] of COMMANDS) {
    program.commandsGroup(heading);
    for (const make of commands) program.addCommand(make());
  }
  for (const command of program.commands) if (command.commands.length > 0) showExamplesBelow(command);
  for (const command of everyCommand(program)) {
    // Errors come to us, to be said once and with the nearest name of all options, hidden ones included.
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .showSuggestionAfterError(false)
      .helpCommand(false)
      .helpOption('-h, --help', 'prints this');
  }
  return program;
}

/** The help of a group of commands begins with one example of each. */
function showExamplesBelow(group: Command): void {
  const examples = group.commands.flatMap((command) => examplesOf(command).slice(0, 1));
  if (examples.length > 0) withExamples(group, examples);
}

function usage(error: CommanderError, program: Command, args: readonly string[]): ExitCode {
  if (error.exitCode === 0) return EXIT.done; // --help, --version
  if (error.code !== 'commander.help') say(`spillway: ${error.message.replace(/^error: /, '')}${suggestion(error, program, args)}`);
  return EXIT.usage;
}

function suggestion({ code, message }: CommanderError, program: Command, args: readonly string[]): string {
  const name = /'([^']+)'/.exec(message)?.[1];
  if (name === undefined) return '';
  if (code === 'commander.unknownCommand') {
    const near = commandNear(name, reached(program, args).commands) ?? commandNear(name, everyCommand(program));
    return near === null ? '' : `; did you mean ${pathOf(near)}?`;
  }
  if (code !== 'commander.unknownOption') return '';
  const flags = [...OPTION_KEYS.map(flagOf), ...everyCommand(program).flatMap((command) => command.options.map(({ long }) => long ?? ''))];
  const near = nearest(name.split('=')[0] ?? name, new Set(flags));
  return near === null ? '' : `; did you mean ${near}?`;
}

function commandNear(name: string, commands: readonly Command[]): Command | null {
  const near = nearest(
    name,
    commands.map((command) => command.name()),
  );
  return commands.find((command) => command.name() === near) ?? null;
}

/** The command that the words so far name. */
function reached(command: Command, args: readonly string[]): Command {
  const next = command.commands.find((one) => one.name() === args[0]);
  return next === undefined ? command : reached(next, args.slice(1));
}

/** `config check`: a command as it is typed behind the program's name. */
const pathOf = (command: Command): string => (command.parent?.parent ? `${pathOf(command.parent)} ` : '') + command.name();
const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
