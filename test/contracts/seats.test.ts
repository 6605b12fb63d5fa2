import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { SEAT_KINDS } from './seat-benches.ts';
import { nodeContract } from './store-nodes.ts';
import { type SeatBench, seatContract } from './store-seats.ts';

describe.each(SEAT_KINDS)('seats and nodes in $name', (kind) => {
  let bench: (SeatBench & AsyncDisposable) | undefined;
  const missing = kind.missing();
  beforeAll(async () => {
    if (missing === null) bench = await kind.open();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });
  const opened = (): SeatBench => {
    if (bench === undefined) throw new Error('Expected the seats to be open; ask for them inside a test.');
    return bench;
  };
  seatContract(opened);
  nodeContract(opened);
});
