/** The crowd of dashboard-crowd.ts: sockets in a process of their own. Some apply and acknowledge what comes; the others are open, answer
 *  pings, and nobody is there. Prints `ready` when all are seated.  argv: gateway's WebSocket address */

import { setTimeout as delay } from 'node:timers/promises';
import { tokenFor } from '../support/gateway.ts';
import { crowd, type Member } from '../support/peers/crowd.ts';
import { WireClient } from '../support/wire-client.ts';

const [url = ''] = process.argv.slice(2);
const AT_ONCE = 25;
/** Somebody leaves and comes back every so often. */
const CHURN_EVERY_MS = 400;

async function open({ user, tier, thread, works }: Member): Promise<WireClient> {
  const client = await WireClient.open(url, { deadlineMs: 20_000 });
  if (works) client.behave();
  const token = await tokenFor(user, { tier });
  client.sendFrame({ type: 'hello', v: 1, token, client: { name: 'crowd', version: '1.0', label: thread }, intent: 'user', visibility: 'visible' });
  await client.next('ready');
  client.sendFrame({ type: 'subscribe', sub: 1, thread, from: 'start' });
  await client.next('subscribed');
  return client;
}

const members = crowd();
const clients = new Map<Member, WireClient>();
const left = [...members];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) clients.set(next, await open(next));
  }),
);
process.stdout.write('ready\n');

const working = members.filter(({ works }) => works);
for (let i = 0; ; i = (i + 7) % working.length) {
  await delay(CHURN_EVERY_MS);
  const member = working[i] as Member;
  const client = clients.get(member);
  client?.sendFrame({ type: 'bye', reason: 'left' });
  await client?.[Symbol.asyncDispose]();
  clients.set(member, await open(member));
}
