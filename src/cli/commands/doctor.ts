import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import type { ServerOptions } from '../../core/options.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { loadConfiguration } from '../configuration.ts';
import { adminKeyFile, openDataFolder } from '../data-folder.ts';
import { gatewayFindings } from '../doctor-gateway.ts';
import { portFinding } from '../doctor-ports.ts';
import { EXIT } from '../exit-codes.ts';
import type { Finding } from '../findings.ts';
import { addOptionFlags, flagLayer } from '../flags.ts';
import { withExamples } from '../operator-command.ts';
import type { Column } from '../output/table.ts';
import { paintState } from '../output/words.ts';
import { STORE_FORMS, storeAddress } from '../store-address.ts';
import { DEFAULT_URL, type Target, targetAt } from '../target.ts';
import { printJson, printTable } from '../terminal.ts';

interface Flags {
  readonly config?: string;
  readonly dev?: true;
  readonly json?: true;
  readonly url?: string;
  readonly through?: string;
  readonly token?: string;
}

/** Open files besides one for each session: libraries, the store, logs, listeners, HTTP requests. */
const OTHER_FILES = 1_000;

/** `spillway doctor` */
export function doctorCommand(): Command {
  const command = new Command('doctor').description('Looks whether this machine can run a gateway with this configuration, and how one that runs fares');
  withExamples(command, [
    ['spillway doctor', 'this machine, and the gateway that runs here, if one does'],
    ['spillway doctor --store redis://10.0.0.5:6379', 'a Redis that gateways are to share: version, settings, rights, latency, clock, replicas'],
    ['spillway doctor --url http://10.0.0.7:8788', 'this machine, and a gateway elsewhere'],
    ['spillway doctor --through https://chat.example.com --token "$(spillway token create --user doctor)"', 'what lies in between, too'],
  ]);
  command.option('-c, --config <file>', 'configuration file').option('--dev', 'as `dev` would run, not `serve`').option('--json', 'as JSON');
  command.option('--url <address>', `operators’ port of a running gateway; default: ${DEFAULT_URL}, if ./.spillway/admin-key is here`);
  command
    .option('--through <address>', 'where people connect: looks at the proxy in between, for about 20 s')
    .option('--token <jwt>', 'of a user, for --through');
  return addOptionFlags(command, ['listen', 'admin.listen', 'data', 'store'], ['--port <port>', '--admin-port <port>'], '').action(doctor);
}

async function doctor(flags: Flags, command: Command): Promise<void> {
  const { options } = await loadConfiguration({ command: flags.dev ? 'dev' : 'serve', file: flags.config, flags: flagLayer(command), checked: false });
  const target = flags.url !== undefined || existsSync(adminKeyFile(options.data)) ? targetAt(flags.url ?? DEFAULT_URL) : null;
  const findings = [
    node(),
    fileLimit(options),
    dataFolder(options),
    ...(await store(options)),
    await portFinding('listen', options.listen),
    await portFinding('admin.listen', options.admin.listen),
    clock(),
    ...(target === null ? [] : await gatewayFindings(target)),
    ...(flags.through === undefined ? [] : await inBetween(target ?? targetAt(DEFAULT_URL), flags.through, tokenOf(flags))),
  ];
  if (flags.json) printJson(findings);
  else printTable(COLUMNS, findings);
  if (findings.some(({ result }) => result === 'problem')) process.exitCode = EXIT.failed;
}

const COLUMNS: readonly Column<Finding>[] = [
  { title: 'RESULT', text: ({ result }) => result, paint: (text, { result }) => paintState(text, result) },
  { title: 'CHECK', text: ({ check }) => check },
  { title: 'DETAIL', text: ({ detail }) => detail },
];

/** Loaded on use: it brings a WebSocket client along. */
async function inBetween(target: Target, through: string, token: string): Promise<Finding[]> {
  const { proxyFindings } = await import('../doctor-proxy.ts');
  return proxyFindings(target, through, token);
}

function tokenOf({ token }: Flags): string {
  if (token !== undefined) return token;
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    'Expected `--token`, one of a user, to connect through that address: --token "$(spillway token create --user doctor)"',
  );
}

const ok = (check: string, detail: string): Finding => ({ check, result: 'ok', detail });
const problem = (check: string, error: unknown): Finding => ({ check, result: 'problem', detail: error instanceof Error ? error.message : String(error) });

/** Too old a version ends in `main.ts` already. */
const node = (): Finding => ok('node', `${process.version} at ${process.execPath}`);

function fileLimit({ limits }: ServerOptions): Finding {
  const { userLimits } = process.report.getReport() as { readonly userLimits?: { readonly open_files?: { readonly soft: number | string } } };
  const soft = userLimits?.open_files?.soft;
  if (soft === undefined) return { check: 'file limit', result: 'warning', detail: 'not known on this system' };
  if (soft === 'unlimited') return ok('file limit', 'unlimited');
  const room = Math.max(0, Number(soft) - OTHER_FILES);
  if (room >= limits.perNode) return ok('file limit', `${soft} open files: room for ${limits.perNode} sessions`);
  return {
    check: 'file limit',
    result: 'warning',
    detail: `${soft} open files: room for about ${room} of ${limits.perNode} sessions. Raise it: ulimit -n ${limits.perNode + OTHER_FILES}`,
  };
}

/** Looks only: nothing is made. */
function dataFolder({ data }: ServerOptions): Finding {
  if (data === 'memory') return ok('data folder', 'none: nothing is kept');
  try {
    if (existsSync(data)) {
      openDataFolder(data);
      return ok('data folder', `${data} can be written to`);
    }
    accessSync(existingParent(resolve(data)), constants.W_OK | constants.X_OK);
    return ok('data folder', `${data} will be made at the first start`);
  } catch (error) {
    return problem('data folder', error);
  }
}

async function store(options: ServerOptions): Promise<readonly Finding[]> {
  const address = storeAddress(options);
  switch (address?.is) {
    case undefined:
      return [problem('store', `\`store\` is none of ${STORE_FORMS}`)];
    case 'memory':
      return [ok('store', 'memory: nothing is kept over a restart')];
    case 'sqlite':
      return [await sqlite(address.file)];
    case 'redis': {
      const { redisFindings } = await import('../doctor-store.ts');
      return redisFindings(address.options);
    }
  }
}

/** Reads the file and writes nothing, because a gateway may be at work on it. */
async function sqlite(file: string): Promise<Finding> {
  try {
    if (!existsSync(file)) {
      accessSync(existingParent(resolve(file)), constants.W_OK | constants.X_OK);
      return ok('store', `${file} will be made at the first start`);
    }
    accessSync(file, constants.R_OK | constants.W_OK);
    return ok('store', `${file} can be written to; ${await schemaOf(file)}`);
  } catch (error) {
    return problem('store', error);
  }
}

/** @throws SpillwayError for a file of another program or of a newer Spillway. */
async function schemaOf(file: string): Promise<string> {
  const { default: Sqlite } = await import('better-sqlite3');
  const { MIGRATIONS, refuseForeign } = await import('../../stores/sqlite/migrations.ts');
  const database = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    refuseForeign(database);
    const version = Number(database.pragma('user_version', { simple: true }));
    return version === MIGRATIONS.length ? `schema ${version}` : `schema ${version} becomes ${MIGRATIONS.length} at the next start`;
  } finally {
    database.close();
  }
}

function existingParent(path: string): string {
  return existsSync(path) ? path : existingParent(dirname(path));
}

function clock(): Finding {
  return ok('clock', `${new Date().toISOString()}; tokens of an issuer need it right to a few seconds, which this does not check`);
}
