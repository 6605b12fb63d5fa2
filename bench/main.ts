/** `npm run bench -- NAME…`: what Spillway costs beside bare ws and Socket.IO doing the same duty, in the same run. */
import { availableParallelism, loadavg } from 'node:os';
import { parseArguments } from './arguments.ts';
import { BuiltCopy } from './built.ts';
import { table } from './report.ts';
import { freshFile, PAGE, root, writePage } from './results.ts';
import { run } from './run.ts';
import { smoke } from './smoke.ts';
import { exitOnSignals } from './temporary.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

exitOnSignals();
try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const wanted = parseArguments(process.argv.slice(2));
  if (wanted.command === 'report') {
    say(`${PAGE} rests on ${writePage()} rows.`);
    return;
  }
  if (wanted.command === 'smoke') {
    const problems = await smoke(say);
    for (const problem of problems) say(`failed: ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
    return;
  }
  const out = wanted.out ?? freshFile('bench');
  say(`${availableParallelism()} cores, load ${(loadavg()[0] ?? 0).toFixed(1)}, Node ${process.versions.node}`);
  using built = new BuiltCopy(root);
  const contestants = wanted.peers.map((kind) => ({ name: kind, kind, root: kind === 'spillway' ? built.folder : null }));
  const rows = await run({ ...wanted, contestants, out, root, tell: say });
  say(`\n${table(rows)}\n\nrows: ${out}`);
}
