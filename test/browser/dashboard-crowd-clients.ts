/** The crowd of dashboard-crowd.ts: sockets in a process of their own, so that they take no time of the gateway's. Some acknowledge what
 *  comes; the others are open, answer pings, and nobody is there. Answers questions of its parent: see `CrowdAnswers`.
 *  argv: the gateway's WebSocket address */

import { setTimeout as delay } from 'node:timers/promises';
import { HELLO, tokenFor } from '../support/gateway.ts';
import { CROWD_SECRET, crowd, type Member } from '../support/peers/crowd.ts';
import { WireClient, type WireFrame } from '../support/wire-client.ts';

/** What the clients know, and what they do when they are asked. */
export interface CrowdAnswers {
  /** Everybody whose socket is open, as they see it themselves. */
  readonly members: readonly Seen[];
  /** How those ended whose socket was closed on them. */
  readonly closes: readonly { readonly manager: string; readonly code: number; readonly reason: string }[];
  /** From now on nobody comes or goes. */
  readonly rest: null;
  /** From now on somebody leaves and comes back every so often. */
  readonly churn: null;
  /** Opens a tab of `user` that works, and answers when it is seated. */
  readonly open: { readonly manager: string };
  /** Opens `count` tabs of `user` that follow one conversation in which an answer is written; answers at once. */
  readonly crowdIn: null;
  /** Tabs that were told to wait and have no seat yet. */
  readonly waiting: number;
  /** A person looks at an evicted tab again and goes on there. */
  readonly comeBack: { readonly how: string; readonly replayed: number };
}
export interface Seen {
  readonly manager: string;
  readonly user: string;
  readonly label: string;
  readonly works: boolean;
}
export interface CrowdQuestion {
  readonly id: number;
  readonly ask: keyof CrowdAnswers;
  readonly user?: string;
  readonly count?: number;
  readonly manager?: string;
}

interface Tab extends Member {
  readonly client: WireClient;
  readonly ready: WireFrame;
  readonly subscribed: WireFrame;
}

const [url = ''] = process.argv.slice(2);
const SECRET = new TextEncoder().encode(CROWD_SECRET);
const AT_ONCE = 20;
const CHURN_EVERY_MS = 400;
/** Tabs whose persons ask again and again. */
const TALKATIVE = 15;
const TALK_EVERY_MS = 4_000;
const SHORT = 'What is 15% of 80?';
const LONG = 'Count from 1 to 600, please.';

/** Those whose socket is open, by their managers. */
const tabs = new Map<string, Tab>();
/** Also those that were evicted: their persons may come back. */
const everybody = new Map<string, Tab>();
const closes: CrowdAnswers['closes'][number][] = [];
let waiting = 0;
let churns = false;
let messages = 0;

async function open(member: Member, resume: object = {}, hear: (frame: WireFrame) => void = () => {}): Promise<Tab> {
  const client = await WireClient.open(url, { deadlineMs: 30_000 });
  client.hear(hear);
  if (member.works) client.behave();
  client.sendFrame({
    ...HELLO,
    token: await tokenFor(member.user, { tier: member.tier, secret: SECRET }),
    client: { ...HELLO.client, label: member.thread },
    ...resume,
  });
  const ready = await client.next('ready');
  if (!('resume' in resume)) client.sendFrame({ type: 'subscribe', sub: 1, thread: member.thread, from: 'start' });
  const subscribed = await client.next('subscribed');
  const tab = { ...member, client, ready, subscribed };
  tabs.set(ready.manager, tab);
  client.closed
    .then(({ code }) => {
      if (!tabs.delete(ready.manager)) return;
      closes.push({ manager: ready.manager, code, reason: client.frames.findLast(({ type }) => type === 'bye')?.reason ?? '' });
    })
    .catch(fail);
  return tab;
}

const ask = ({ client, thread }: Tab, text: string): void =>
  client.sendFrame({ type: 'send', id: `m-${messages++}`, thread, data: { parts: [{ type: 'text', text }] } });

async function leave({ client, ready }: Tab): Promise<void> {
  tabs.delete(ready.manager);
  client.sendFrame({ type: 'bye', reason: 'left' });
  await client[Symbol.asyncDispose]();
}

async function comeBack(manager: string): Promise<CrowdAnswers['comeBack']> {
  const old = everybody.get(manager);
  if (old === undefined || tabs.has(manager)) throw new Error(`Expected a tab that was evicted, ${manager} is none.`);
  const { thread, epoch, offset } = old.subscribed;
  let replayed = 0;
  const tab = await open(
    { ...old, works: true },
    { resume: { manager, token: old.ready.resumeToken, subs: [{ sub: 1, thread, epoch, offset }] } },
    ({ type }) => {
      if (type === 'event') replayed += 1;
    },
  );
  return { how: tab.ready.resume, replayed };
}

async function answer({ ask: wanted, user = '', count = 1, manager = '' }: CrowdQuestion): Promise<CrowdAnswers[keyof CrowdAnswers]> {
  const another = (i: number, thread: string): Member => ({ user, tier: 'mid', thread: thread === '' ? `new-${tabs.size + i}` : thread, works: true });
  switch (wanted) {
    case 'members':
      return [...tabs.values()].map(({ ready, user: of, thread, works }) => ({ manager: ready.manager, user: of, label: thread, works }));
    case 'closes':
      return closes;
    case 'rest':
      churns = false;
      return null;
    case 'churn':
      churns = true;
      return null;
    case 'open':
      return { manager: (await open(another(0, ''))).ready.manager };
    case 'crowdIn':
      crowdIn(Array.from({ length: count }, (_, i) => another(i, 'shared')));
      return null;
    case 'waiting':
      return waiting;
    case 'comeBack':
      return await comeBack(manager);
  }
}

function crowdIn(members: readonly Member[]): void {
  members.forEach((member, i) => {
    let waits = false;
    const heard = ({ type }: WireFrame): void => {
      if (type === 'queued' && !waits) waiting += 1;
      if (type === 'queued') waits = true;
      if (type === 'ready' && waits) waiting -= 1;
    };
    open(member, {}, heard).then(
      (tab) => i === 0 && ask(tab, LONG),
      // One that has just been seated may be who makes room for the next.
      (error: unknown) => (String(error).includes('evicted-for-newer') ? null : fail(error)),
    );
  });
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

process.on('disconnect', () => process.exit(0));
process.on('message', (question: CrowdQuestion) => {
  answer(question).then((value) => process.send?.({ id: question.id, value }), fail);
});

const members = crowd();
const left = [...members];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const tab = await open(next);
      everybody.set(tab.ready.manager, tab);
      // The answer to it is what the dead will owe.
      if (!tab.works) ask(tab, SHORT);
    }
  }),
);
process.send?.({ id: 0, value: 'seated' });

const working = [...tabs.values()].filter(({ works }) => works);
const talkative = working.slice(0, TALKATIVE);
setInterval(() => {
  for (const tab of talkative) if (tab.client.isOpen) ask(tab, SHORT);
}, TALK_EVERY_MS);
for (let i = TALKATIVE; ; i = TALKATIVE + ((i + 7) % (working.length - TALKATIVE))) {
  await delay(CHURN_EVERY_MS);
  const tab = churns ? working[i] : undefined;
  if (tab?.client.isOpen !== true) continue;
  await leave(tab);
  working[i] = await open(tab);
}
