import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GateReading } from './load-gate.ts';
import type { PeerResult } from './peers/compare.ts';
import type { Bound, Result, Row } from './row.ts';
import { ROWS } from './rows/index.ts';

/** What `--json` writes. */
export interface Report {
  readonly timing: 'default' | 'fast';
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly runs: readonly { readonly at: string; readonly results: readonly Result[]; readonly gates: readonly GateReading[] }[];
  /** The same faults against other servers. */
  readonly peers?: { readonly failed: boolean; readonly results: readonly PeerResult[] };
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const PAGE = join(ROOT, 'docs', 'faults.md');
const RESULTS = join(ROOT, 'test', 'faults', 'results');

const BOUNDS: Readonly<Record<Bound, string>> = { K2: '2 s', T30: '30 s', A80: '80 s', H15: '15 s' };

function committed(): readonly Report[] {
  return readdirSync(RESULTS)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Report);
}

export function writePage(): void {
  writeFileSync(PAGE, page());
}

/** `docs/faults.md`, from the results that are kept in the repository. */
export function page(reports: readonly Report[] = committed()): string {
  const own = reports.flatMap(({ runs }) => runs).sort((a, b) => (a.at < b.at ? -1 : 1));
  const results = latest(own.flatMap((run) => run.results));
  const gates = own.flatMap((run) => run.gates);
  const peers = reports.flatMap((report) => report.peers?.results ?? []);
  return `# Faults

<!-- Made from test/faults/results/*.json by \`npm run test:faults -- --report\`; change it there. -->

Dead clients must be found and living ones left alone, and neither may lose an event. \`npm run test:faults\` breaks real clients, links
and gateways by real means (signals, network namespaces, proxies, browsers) and looks from outside: at the admin API and at the kernel's
table of sockets. The times below are the slowest client's of a row, with the options' defaults.

- **noticed**: the gateway says \`inactive\` or \`zombie\`, or, before log-in, closes. **socket**: the kernel's connection is released.
  **seat**: the user's limit no longer counts it. All from the moment of the fault.
- **left alone**: the gateway closes none of them, and says of none that it is dead. **reported**: only loss is judged.
- **lost**: events that were logged and not applied by a client that came back, of those compared; doubled, reordered, altered and
  foreign ones and acknowledgements of what was not applied yet are counted too, and would make the row fail.
- A row is void if its fault was not in force, or if the machine was too busy to blame the gateway for being late. A loss, or a fault
  that nobody ever notices, fails in any case.

${machineLine(reports, gates)}

| | what happens | produced by | expected | noticed | socket | seat | lost of | outcome |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${results.map(line).join('\n')}

${notRun(results)}
${peers.length === 0 ? '' : comparison(peers)}`;
}

/** Of each row the last result, in the order of the catalogue. */
function latest(all: readonly Result[]): readonly Result[] {
  const found = new Map(all.map((result) => [`${result.key} ${result.variant ?? ''}`, result]));
  const place = ({ key }: Result): number => ROWS.findIndex((row) => row.key === key);
  return [...found.values()].sort((a, b) => place(a) - place(b) || (a.variant ?? '').localeCompare(b.variant ?? ''));
}

function machineLine(reports: readonly Report[], gates: readonly GateReading[]): string {
  const [first] = reports;
  if (first === undefined) return 'Nothing was measured yet.';
  const passed = gates.filter((gate) => gate.passed).length;
  const slowest = Math.max(0, ...gates.map(({ controlP99Ms }) => controlP99Ms));
  return `Measured on ${first.cores} cores, ${first.system}, Node ${first.node.slice(1)}. The load gate passed in ${passed} of ${gates.length} runs; healthy control clients
had 99 % of their events within ${slowest} ms.`;
}

const rowOf = (key: string): Row | undefined => ROWS.find((row) => row.key === key);

function line(result: Result): string {
  const row = rowOf(result.key);
  const name = result.variant === undefined ? result.key : `${result.key}, ${result.variant} seats`;
  const cells = [
    name,
    row?.field ?? '',
    row?.by ?? '',
    expected(result, row),
    time(result.noticedMs),
    time(result.socketReleasedMs),
    time(result.seatReleasedMs),
    result.lossless === null ? '' : `${result.lossless.lost} of ${result.lossless.checked}`,
    result.outcome,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function expected(result: Result, row: Row | undefined): string {
  if (result.boundMs !== undefined && row?.phase === 'clients') return `≤ ${seconds(result.boundMs)}`;
  if (row?.expect.is === 'noticed') return `≤ ${BOUNDS[row.expect.bound]}`;
  if (row?.expect.is === 'own') return row.expect.promise;
  return row?.expect.is === 'info' || (row?.phase === 'clients' && row.crowded === true && result.variant === '20/20') ? 'reported' : 'left alone';
}

function notRun(results: readonly Result[]): string {
  const missed = results.filter(({ outcome }) => outcome === 'skipped' || outcome === 'void' || outcome === 'failed');
  const seen = new Set(results.map(({ key }) => key));
  const never = ROWS.filter(({ key }) => !seen.has(key)).map(({ key }) => key);
  const lines = [
    ...missed.map(({ key, variant, outcome, why }) => `- ${key}${variant === undefined ? '' : ` ${variant}`}: ${outcome}. ${why ?? ''}`),
    ...(never.length === 0 ? [] : [`- Not run for this page: ${never.join(', ')}.`]),
  ];
  return lines.length === 0 ? '' : `## Not passed, and why\n\n${lines.join('\n')}\n`;
}

function comparison(peers: readonly PeerResult[]): string {
  const servers = [...new Set(peers.map(({ server }) => server))];
  const keys = [...new Set(peers.map(({ key }) => key))];
  const cell = (key: string, server: string): string => {
    const found = peers.filter((one) => one.key === key && one.server === server);
    if (found.length === 0) return '';
    const [first] = found;
    const dropped = found.reduce((sum, one) => sum + one.dropped, 0);
    const of = found.reduce((sum, one) => sum + one.clients, 0);
    const noticed = found.every((one) => one.noticedMs !== null) ? seconds(Math.max(...found.map((one) => one.noticedMs ?? 0))) : 'never';
    const lost = `${found.reduce((sum, one) => sum + one.lost, 0)} lost`;
    return first?.expect === 'left-alone' ? `${dropped} of ${of} dropped, ${lost}` : `${noticed}, ${lost}`;
  };
  return `
## The same faults against other servers

Bare \`ws\` with the heartbeat of its README (a ping every 30 s), and Socket.IO with its defaults and connection state recovery, which
keeps two minutes by default. Both publish one numbered event a second to each client; faults last 130 s. Shown is when the server let
go of the broken connection, the slowest of ${peers[0]?.clients ?? 0} clients, and how many events they all together never saw after they were back.

| | ${servers.join(' | ')} |
| --- |${servers.map(() => ' --- |').join('')}
${keys.map((key) => `| ${key}, ${rowOf(key)?.field ?? ''} | ${servers.map((server) => cell(key, server)).join(' | ')} |`).join('\n')}
`;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const time = (ms: number | null | undefined): string => (ms === undefined ? '' : ms === null ? 'never' : seconds(ms));
