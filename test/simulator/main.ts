/** The simulator by hand:
 *    npm run simulate -- --seed 1234 --trace          one world, line by line
 *    npm run simulate -- --seeds 10000 --from 1       many worlds
 *    npm run simulate -- --minutes 30                 as many as fit */

import { parseArgs } from 'node:util';
import { simulate, summary } from './fleet.ts';
import { runSeed } from './run-seed.ts';

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    workers: { type: 'string', default: '2' },
  },
});

if (values.seed !== undefined) {
  const outcome = await runSeed(Number(values.seed), { trace: values.trace });
  for (const line of outcome.trace) say(line);
  say(`Seed ${outcome.seed}: ${(outcome.virtualMs / 1_000).toFixed(1)} s of virtual time, ${outcome.events} events, ${JSON.stringify(outcome.counts)}`);
  for (const { invariant, at, detail } of outcome.violations) say(`${invariant} at ${at.toFixed(1)} ms: ${detail}`);
  process.exitCode = outcome.violations.length === 0 ? 0 : 1;
} else {
  const report = await simulate({
    from: Number(values.from),
    seeds: values.seeds === undefined && values.minutes !== undefined ? Number.POSITIVE_INFINITY : Number(values.seeds ?? '1000'),
    forMs: values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000,
    workers: Number(values.workers),
  });
  for (const line of summary(report)) say(line);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
}
