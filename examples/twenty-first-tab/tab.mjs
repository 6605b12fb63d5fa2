// One tab, in a process of its own, so that a signal can freeze it. It is started by run.mjs, which tells it where to go.
import { once } from 'node:events';
import { createSpillway } from 'spillway/client';

const QUESTION = 'How does eviction work?';
const BETWEEN_QUESTIONS_MS = 2_000;

const [{ url, token, label, isTalking }] = await once(process, 'message');
// Whoever opened this tab is gone.
process.once('disconnect', () => process.exit());

const askedAt = performance.now();
const client = createSpillway({ url, getToken: () => token, label, storage: 'none' });
client.on('error', (error) => process.send({ failed: String(error) }));
await client.connect();
const { manager, seat } = client.state;
process.send({ manager, seat, tookMs: Math.round(performance.now() - askedAt) });

const thread = client.thread(label.replaceAll(' ', '-'));
if (!isTalking) thread.on(() => {});
while (isTalking) {
  // The answer is read to its end, as a page would show it.
  for await (const _event of thread.send(QUESTION));
  await new Promise((resolve) => setTimeout(resolve, BETWEEN_QUESTIONS_MS));
}
