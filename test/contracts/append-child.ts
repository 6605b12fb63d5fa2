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

for (let round = 0; ; round++) {
  const requests = writers.map((writer, i) => {
    const total = 1 + ((round + i) % 7);
    const entries = Array.from({ length: total }, (_, n) => entry(writer.head + 1 + n, { data: crashData(i, writer.head + 1 + n), run: crashRun(i) }));
    const last = writer.head + total;
    return writer.request(entries, {
      title: 'crash',
      messages: [message(`m${last}`, last)],
      runs: [run(writer.key, crashRun(i), { firstOffset: 1, lastOffset: last })],
    });
  });
  const answers = await store.log.append(requests);
  for (const [i, writer] of writers.entries()) {
    if (answers[i]?.is !== 'ok') throw new Error(`Expected the append to be taken, got ${JSON.stringify(answers[i])}.`);
    writer.head += requests[i]?.entries.length ?? 0;
  }
  writeSync(1, `${JSON.stringify(writers.map((writer) => writer.head))}\n`);
}
