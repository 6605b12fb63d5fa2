// The chaos run: real clients in processes of their own, random faults of the catalogue, evictions, and a gateway that is killed twice on
// one store file. At the end, after healing, every client's record is compared with the log.
//   npm run test:chaos [-- --minutes 10] [--clients 200] [--seed N] [--restarts 2] [--timing fast] [--json FILE]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chaos, megabytes } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    restarts: { type: 'string', default: '2' },
    timing: { type: 'string', default: 'default' },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const number = (name: 'minutes' | 'clients' | 'seed' | 'restarts', least: number): number => {
  const value = Number(values[name]);
  if (!Number.isFinite(value) || value < least) throw new Error(`Expected --${name} to be a number from ${least}, got ${values[name]}.`);
  return value;
};

const folder = mkdtempSync(join(tmpdir(), 'spillway-chaos-'));
process.once('exit', () => {
  if (values.keep) say(`Files are kept in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const seed = number('seed', 0);
const timing = values.timing === 'fast' ? 'fast' : 'default';
say(`Seed ${seed}`);
const startedAt = performance.now();
const options = { minutes: number('minutes', 0.1), clients: number('clients', 2), seed, timing, restarts: number('restarts', 0), folder, say } as const;
const report = await chaos(options);
const { findings, books, heapBytes, happened, ends, broken } = report;
const counts = (all: Readonly<Record<string, number>>): string =>
  Object.entries(all)
    .map(([what, times]) => `  ${String(times).padStart(6)}  ${what}`)
    .join('\n');
say(`\nWhat happened:\n${counts(happened)}\n\nHow transports ended, as their clients saw it:\n${counts(ends)}\n`);
say(
  [
    `${findings.checked} events compared`,
    `${findings.lost.length} lost`,
    `${findings.doubled.length} doubled`,
    `${findings.reordered.length} reordered`,
    `${findings.ackedUnseen.length} acknowledged but unseen`,
    `${findings.phantom.length + findings.altered.length + findings.foreign.length + findings.uneven.length} otherwise wrong`,
    `${findings.gaps} gaps`,
    `${new Set(findings.unlogged).size} cut off with a killed gateway`,
  ].join(', '),
);
say(
  `${books.seats} seats, ${books.registered} managers, ${books.sockets} sockets, ${books.kernel} connections in the kernel, ${books.differences.length} differences`,
);
say(`heap ${megabytes(heapBytes.before)} before, ${megabytes(heapBytes.after)} after (${Math.round((heapBytes.after / heapBytes.before - 1) * 100)} %)`);
for (const what of broken) say(`  ${what}`);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ seed, options: { ...options, folder: undefined, say: undefined }, ...report }, null, 1)}\n`);
say(`${broken.length === 0 ? 'PASSED' : 'FAILED'} in ${Math.round((performance.now() - startedAt) / 1_000)} s, seed ${seed}`);
process.exit(broken.length === 0 ? 0 : 1);
