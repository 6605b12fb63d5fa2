// The fault catalogue: real faults against a real gateway. What runs, what cannot run here and why, and what each row showed.
//   npm run test:faults [-- --only F06,F11] [--repeat N] [--require-all] [--peers] [--json FILE] [--fast] [--report]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from './machine.ts';
import { enterPrivateNetwork } from './makers/net-enter.ts';
import { tryNeeds } from './needs.ts';
import { runPeers } from './peers/compare.ts';
import type { Report } from './report.ts';
import { writePage } from './report.ts';
import { rowsOf } from './rows/index.ts';
import { runRows } from './runner.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    'require-all': { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    json: { type: 'string' },
    fast: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);

if (values.report) {
  writePage();
  process.exit(0);
}

const keys = values.only?.split(',') ?? null;
// The control is the measure of all others.
const rows = rowsOf(keys === null ? null : [...keys, 'C00']);
const repeat = Number(values.repeat);
if (!Number.isSafeInteger(repeat) || repeat < 1) throw new Error(`Expected --repeat to be a whole number from 1, got ${values.repeat}.`);
const timing = values.fast ? 'fast' : 'default';
const network = rows.some(({ needs }) => needs.includes('namespaces')) ? await enterPrivateNetwork() : ({ is: 'shared', reason: 'no row needs one' } as const);

const folder = mkdtempSync(join(tmpdir(), 'spillway-faults-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const found = await tryNeeds(rows, network);
const runs: Report['runs'][number][] = [];
for (let i = 1; i <= repeat; i++) {
  if (repeat > 1) say(`Run ${i} of ${repeat}`);
  const startedAt = Date.now();
  const run = await runRows({ rows, timing, folder: join(folder, String(i)), found, host: network.is === 'private' ? '0.0.0.0' : '127.0.0.1', say });
  runs.push({ at: new Date(startedAt).toISOString(), ...run });
}
const peers = values.peers ? await runPeers({ timing, repeat, say }) : null;
const report: Report = { timing, ...machine(), runs, ...(peers === null ? {} : { peers }) };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);

const results = runs.flatMap((run) => run.results);
const of = (outcome: string): number => results.filter((result) => result.outcome === outcome).length;
const missing = values['require-all'] ? of('skipped') : 0;
say(`${of('passed')} passed, ${of('failed') + missing} failed, ${of('skipped') - missing} skipped, ${of('void')} void`);
process.exit(of('failed') + missing > 0 || peers?.failed === true ? 1 : of('void') > 0 ? 3 : 0);
