/** `node bench/redis/main.ts [scripts] [renewals] [nodes]`: what a shared Redis costs. Without names all three. `report` makes the page anew. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitOf, HostWatch, machine } from '../machine.ts';
import { root } from '../results.ts';
import { nodes } from './nodes.ts';
import { pageOf } from './page.ts';
import { renewals } from './renewals.ts';
import { addRow, lastRows, type Row } from './rows.ts';
import { scripts } from './scripts.ts';
import { benchServer, versionOf } from './server.ts';

const SCENARIOS = { scripts, renewals, nodes } as const;
const PAGE = join(root, 'docs', 'redis-benchmark.md');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const wanted = process.argv.slice(2);
const names = wanted.length === 0 ? Object.keys(SCENARIOS) : wanted.filter((name) => name !== 'report');
const unknown = names.filter((name) => !Object.hasOwn(SCENARIOS, name));
if (unknown.length > 0) {
  process.stderr.write(`Expected names out of ${Object.keys(SCENARIOS).join(', ')} and report, got ${unknown.join(', ')}.\n`);
  process.exit(2);
}
for (const name of names as (keyof typeof SCENARIOS)[]) await measure(name);
writeFileSync(PAGE, pageOf(lastRows()));
say(PAGE.slice(root.length));

async function measure(name: keyof typeof SCENARIOS): Promise<void> {
  say(`${name} …`);
  await using server = await benchServer();
  const redis = versionOf(server);
  const watch = new HostWatch();
  const own = process.cpuUsage();
  const figures = await SCENARIOS[name]();
  const { user, system } = process.cpuUsage(own);
  const { commit, dirty } = commitOf(root);
  const host = watch.end((user + system) / 1_000);
  addRow({
    scenario: name,
    at: new Date().toISOString(),
    commit: `${commit}${dirty ? ' with changes' : ''}`,
    machine: machine(),
    host,
    node: process.versions.node,
    redis,
    figures,
  } as Row);
}
