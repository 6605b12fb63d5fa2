// Looks for a way to lock a person out of a real gateway:
//   npm run test:lockout -- --minutes 10 --seed 7 [--only 3]
// Same seed: the same acts in the same order, though not the same microseconds. A violation exits with 1.
import { parseArgs } from 'node:util';
import { NO_FAKETIME, wallClock } from '../support/lab/faketime.ts';
import { report } from './report.ts';
import { search } from './search.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, only: { type: 'string' } } });
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  say('Expected --minutes above 0 and --seed to be a whole number.');
  process.exit(2);
}
using clock = wallClock();
if (clock === null) say(`SKIP clock jumps: ${NO_FAKETIME}`);
say(`seed ${seed}`);
const results = await search({
  seed,
  minutes,
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  onEpoch: ({ number, says, attempts, violations }) => say(`gateway ${number}: ${attempts.length} attempts, ${violations.length} violations (${says})`),
});
say(report(results, seed, minutes));
process.exit(results.some((result) => result.violations.length > 0) ? 1 : 0);
