import type { Command } from 'commander';
import { AdminProblem } from '../../admin/index.ts';
import { nearest } from '../../core/nearest.ts';
import { SpillwayError } from '../../protocol/errors.ts';
import { bodyOf, type Operation, operationsOf, placed } from '../openapi.ts';
import { gatewayCommand, type Job, onGateway } from '../operator-command.ts';
import { print, printJson, printTable, say } from '../terminal.ts';

/** `spillway api` */
export function apiCommand(): Command {
  return gatewayCommand('api', 'Any operation of the running gateway’s admin API; without a name it lists them', [
    ['spillway api', 'what there is'],
    ['spillway api get-users-id --param id=alice', 'one operation'],
    ['spillway api post-cleanup-plan --param user=alice --param need=0', 'parameters go where the operation wants them'],
  ])
    .argument('[operation]')
    .option('-p, --param <name=value...>', 'of the path, of the query or of the body')
    .option('--body <json>', 'the whole body')
    .action(onGateway(api));
}

interface Flags {
  readonly param?: readonly string[];
  readonly body?: string;
}

async function api({ client, json, flags, url }: Job<Flags>, name?: string): Promise<void> {
  const document = await client.openApi();
  const operations = operationsOf(document);
  if (name === undefined && json) return printJson(operations);
  if (name === undefined) return list(operations);
  const operation = operations.find((one) => one.name === name);
  if (operation === undefined) throw new SpillwayError('SPILLWAY_BAD_OPTION', unknown(name, operations));
  const { path, query, rest } = placed(operation, paramsOf(flags.param ?? []));
  const body = flags.body === undefined ? bodyOf(document, operation, rest) : parsed(flags.body);
  const response = await client.fetch({ method: operation.method, path: below(url, path), query, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (text === '') return say(`done (${response.status})`);
  if (!(response.headers.get('content-type') ?? '').includes('json')) return print(text.trimEnd());
  try {
    printJson(JSON.parse(text));
  } catch (cause) {
    throw new AdminProblem('internal', 'Expected JSON from the gateway, got something else.', { cause });
  }
}

function list(operations: readonly Operation[]): void {
  printTable<Operation>(
    [
      { title: 'OPERATION', text: (o) => o.name },
      { title: 'METHOD', text: (o) => o.method, drop: 2 },
      { title: 'PATH', text: (o) => o.path, drop: 1 },
      { title: 'PARAMETERS', text: (o) => o.parameters.map(({ name, required }) => (required ? name : `[${name}]`)).join(' '), shrink: 10 },
      { title: 'WHAT', text: (o) => o.summary, shrink: 20 },
    ],
    operations,
  );
}

function paramsOf(given: readonly string[]): Map<string, string> {
  const params = new Map<string, string>();
  for (const one of given) {
    const at = one.indexOf('=');
    if (at <= 0) throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--param\` to be NAME=VALUE, got \`${one}\``);
    params.set(one.slice(0, at), one.slice(at + 1));
  }
  return params;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`--body\` to be JSON: ${(error as Error).message}`);
  }
}

/** The document's paths begin at the root of the port; `--url` may have the gateway's prefix in it. */
function below(url: string, path: string): string {
  const prefix = new URL(url).pathname.replace(/\/+$/, '');
  return prefix !== '' && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}

function unknown(name: string, operations: readonly Operation[]): string {
  const near = nearest(
    name,
    operations.map((one) => one.name),
  );
  return `Unknown operation \`${name}\`${near === null ? '.' : `; did you mean \`${near}\`?`} \`spillway api\` lists them.`;
}
