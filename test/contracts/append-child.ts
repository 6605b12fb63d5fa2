// Appends to a store without end until it is killed, and writes each confirmation to its standard output:
//   node append-child.ts FILE STREAMS
// Run by test/integration/store-crash.test.ts.
import { writeSync } from 'node:fs';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { crashData, crashKey, crashRun } from './crash-data.ts';
import { entry, message, run, Writer } from './store-builders.ts';

const [, , file = '', streams = '1'] = process.argv;
const store = await sqliteStore({ file });
const writers: Writer[] = [];
for (let i = 0; i < Number(streams); i++) writers.push(await Writer.claim(store.log, crashKey(i)));

/** Appends one batch to all streams; what it printed was confirmed. */
async function appendBatch(round: number): Promise<void> {
  const requests = writers.map((writer, i) => {
    const entries = Array.from({ length: 1 + ((round + i) % 7) }, (_, n) => writer.head + 1 + n).map((n) =>
      entry(n, { data: crashData(i, n), run: crashRun(i) }),
    );
    writer.head += entries.length;
    const last = writer.head;
    return writer.request(entries, {
      title: 'crash',
      messages: [message(`m${last}`, last)],
      runs: [run(writer.key, crashRun(i), { firstOffset: 1, lastOffset: last })],
    });
  });
  const heads = writers.map((writer) => writer.head);
  const answers = await store.log.append(requests);
  if (answers.some((answer) => answer.is !== 'ok')) throw new Error(`Expected the batch to be taken, got ${JSON.stringify(answers)}.`);
  writeSync(1, `${JSON.stringify(heads)}\n`);
}

// The next batch is on its way before the last is confirmed, so that a kill at any moment meets one that is being written.
for (let round = 0, before = Promise.resolve(); ; round++) {
  const now = appendBatch(round);
  await before;
  before = now;
}
