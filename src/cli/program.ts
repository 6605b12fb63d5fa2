import { Command, CommanderError } from 'commander';
import { nearest } from '../core/nearest.ts';
import { flagOf, OPTION_KEYS } from '../core/option-names.ts';
import { VERSION } from '../gateway/version.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { configCommand } from './commands/config.ts';
import { devCommand } from './commands/dev.ts';
import { doctorCommand } from './commands/doctor.ts';
import { serveCommand } from './commands/serve.ts';
import { tokenCommand } from './commands/token.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { say } from './terminal.ts';

const EXAMPLES = `Examples
  spillway dev                                        gateway, chat page and demo agent on this machine
  spillway dev --agent openai-compatible --agent.base-url http://127.0.0.1:11434/v1 --agent.model llama3.2
  spillway serve -c spillway.yaml                     a gateway for others
  spillway config explain limits.perUser              what an option does and where its value comes from
  spillway token create --user ada                    an access token for a script
`;

/** Runs one command line; resolves to the exit status. Prints what went wrong to standard error. */
export async function runProgram(args: readonly string[]): Promise<ExitCode | number> {
  // Whoever read our output has seen enough, as `head` has: no failure of ours.
  process.stdout.on('error', () => {});
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, program);
    if (!SpillwayError.is(error)) throw error;
    say(`spillway: ${error.message}`);
    return error.code === 'SPILLWAY_BAD_OPTION' ? EXIT.usage : EXIT.failed;
  }
}

function createProgram(): Command {
  const program = new Command('spillway').description('WebSocket sessions for AI chat that never lock a user out.');
  program
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', '\nEvery option is also a flag, an environment variable and a key of the configuration file: spillway config defaults');
  program.version(VERSION, '-v, --version', 'prints the version');
  for (const command of [devCommand(), serveCommand(), configCommand(), doctorCommand(), tokenCommand()]) program.addCommand(command);
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

function usage(error: CommanderError, program: Command): ExitCode {
  if (error.exitCode === 0) return EXIT.done; // --help, --version
  if (error.code !== 'commander.help') say(`spillway: ${error.message.replace(/^error: /, '')}${suggestion(error, program)}`);
  return EXIT.usage;
}

function suggestion({ code, message }: CommanderError, program: Command): string {
  const name = /'([^']+)'/.exec(message)?.[1];
  if (name === undefined) return '';
  const commands = everyCommand(program);
  const flags = new Set([...OPTION_KEYS.map(flagOf), ...commands.flatMap((command) => command.options.map(({ long }) => long ?? ''))]);
  const candidates = code === 'commander.unknownOption' ? flags : code === 'commander.unknownCommand' ? commands.map((command) => command.name()) : [];
  const near = nearest(name.split('=')[0] ?? name, candidates);
  if (near === null) return '';
  const command = code === 'commander.unknownCommand' ? commands.find((one) => one.name() === near) : undefined;
  return `; did you mean ${command === undefined ? near : pathOf(command)}?`;
}

/** `config check`: a command as it is typed behind the program's name. */
const pathOf = (command: Command): string => (command.parent?.parent ? `${pathOf(command.parent)} ` : '') + command.name();
const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
