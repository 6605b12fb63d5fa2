import { expect, test } from 'vitest';
import { figures, report } from '../lockout/report.ts';
import { search } from '../lockout/search.ts';

/** Three gateways of five seconds. The long search is `npm run test:lockout`. */
const SMOKE_MINUTES = 0.25;
const EPOCH_MS = 5_000;
const SEED = 1;

test('the lockout search, for a short time: nobody who asks is left without a seat or a time that works', { timeout: 120_000 }, async () => {
  const results = await search({ seed: SEED, minutes: SMOKE_MINUTES, epochMs: EPOCH_MS });
  const violations = results.flatMap((result) => result.violations.map(({ what }) => what));
  expect(violations, report(results, SEED, SMOKE_MINUTES)).toEqual([]);
  process.stdout.write(`\n${figures(results, SEED, SMOKE_MINUTES)}\n`);
});
