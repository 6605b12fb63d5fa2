import { Command } from 'commander';
import { AdminProblem } from '../../admin/index.ts';
import { nearest } from '../../core/nearest.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { CHECKS, type CheckName } from '../checks.ts';
import { CHECK_EXIT } from '../exit-codes.ts';
import { withExamples } from '../operator-command.ts';
import { type CheckResult, FORMATS, formatted } from '../output/check.ts';
import { DEFAULT_URL, targetAt } from '../target.ts';
import { print } from '../terminal.ts';

/** `spillway check` */
export function checkCommand(): Command {
  const command = new Command('check').description(
    'One question to a running gateway, with the exit status of Nagios: 0 good, 1 warning, 2 critical, 3 unknown',
  );
  command
    .argument('<what>', Object.keys(CHECKS).join(', '))
    .option('--format <format>', FORMATS.join(', '), 'text')
    .option('--json', 'as JSON')
    .option('--warning <value>', 'from where on it is a warning')
    .option('--critical <value>', 'from where on it is critical')
    .option('--url <address>', 'of the operators’ port', DEFAULT_URL)
    .addHelpText(
      'after',
      `\n${Object.entries(CHECKS)
        .map(([name, { does, measures }]) => `  ${name.padEnd(12)} ${does}; thresholds: ${measures}`)
        .join('\n')}`,
    );
  return withExamples(command, [
    ['spillway check node', 'does it live, and is it ready? Needs no key'],
    ['spillway check golden-path --warning 2s --critical 10s', 'does a person get an answer, and how fast?'],
    ['spillway check lockouts --format nagios', 'was anybody locked out? For Nagios, Icinga, Zabbix'],
  ]).action(check);
}

interface Flags {
  readonly format: string;
  readonly json?: true;
  readonly warning?: string;
  readonly critical?: string;
  readonly url: string;
}

async function check(what: string, flags: Flags): Promise<void> {
  const name = nameOf(what);
  const format = flags.json ? 'json' : FORMATS.find((one) => one === flags.format);
  if (format === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--format\` to be one of ${FORMATS.join(', ')}, got \`${flags.format}\``);
  const result = await look(name, flags);
  print(formatted(result, format));
  process.exitCode = CHECK_EXIT[result.state];
}

async function look(name: CheckName, { url, warning, critical }: Flags): Promise<CheckResult> {
  const { run, parse } = CHECKS[name];
  const limits = {
    ...(warning === undefined ? {} : { warning: parse('--warning', warning) }),
    ...(critical === undefined ? {} : { critical: parse('--critical', critical) }),
  };
  try {
    return { check: name, ...(await run(targetAt(url), limits)) };
  } catch (error) {
    if (!AdminProblem.is(error)) throw error;
    return { check: name, state: 'unknown', message: error.detail, values: [] };
  }
}

function nameOf(what: string): CheckName {
  if (what in CHECKS) return what as CheckName;
  const names = Object.keys(CHECKS);
  const near = nearest(what, names);
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Unknown check \`${what}\`${near === null ? '.' : `; did you mean \`${near}\`?`} There are: ${names.join(', ')}`,
  );
}
