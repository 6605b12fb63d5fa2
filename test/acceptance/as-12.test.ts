/** AS-12: the golden path under pressure. A person logs in, opens tabs behind a real proxy, asks in every phase, and reads whole answers
 *  while networks are cut, tabs die, tokens end, and the gateway is killed. With SPILLWAY_LONG=1 at the scenario's own times, behind both proxies (2 × 14 min). */

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/cli.ts';
import { HELLO, tokenFor } from '../support/gateway.ts';
import { between, seeded } from '../support/lab/seeded.ts';
import { LoginGateway } from '../support/login-gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { expectWithin, gated } from '../support/peers/load-gate.ts';
import { type Proxy as ProxyProcess, startHaproxy, startNginx } from '../support/proxies.ts';
import { need } from '../support/tools.ts';
import { WireClient } from '../support/wire-client.ts';
import { type Exchange, Person, Tab, THREAD, USER } from './as-12-scene.ts';

const IS_LONG = process.env.SPILLWAY_LONG === '1';
/** Of the scenario, or shortened; what a person waits for is not. */
const TIMES = IS_LONG
  ? { tokenMs: 60_000, windowMs: 120_000, cutMs: [200, 5_000], outageMs: 600_000, backMs: 35_000, maxDelayMs: 15_000, outliveMs: 300_000 }
  : { tokenMs: 4_000, windowMs: 6_000, cutMs: [40, 800], outageMs: 8_000, backMs: 5_000, maxDelayMs: 800, outliveMs: 20_000 };
const CONNECT_MS = 2_000;
const FIRST_EVENT_MS = 5_000;
const REPLY_MS = 60_000;
const GROWTH_BYTES = 75e6;
const TABS = 8;
const DEAD = 3;
const CUTS = 15;
const CYCLES = 100;
const CYCLES_WITHIN_MS = 30_000;
/** With the five tabs that come back by themselves 25: a person's twenty, and five of somebody else. A tab that comes back by itself starts
 *  no burst, so the person has no more than the limit. */
const NEWCOMERS = 20;
const OF_ANOTHER = 5;
const TEST_MS = IS_LONG ? 1_200_000 : 150_000;

const AGENT_EVENTS = /^agent_started (agent_thinking |tool_executing tool_completed )+(text_delta )+agent_completed$/;

/** A whole answer to `count to n`, in the time that a person waits. */
function expectAnswer(n: number, { text, types, firstEventMs, replyMs }: Exchange): void {
  expect(text).toMatch(new RegExp(`^1,[\\s\\S]*\\b${n}\\b`));
  expect(types.join(' ')).toMatch(AGENT_EVENTS);
  expectWithin('the first event', firstEventMs, FIRST_EVENT_MS);
  expectWithin('the reply', replyMs, REPLY_MS);
}

async function opened<T>(open: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const tab = await open();
  expectWithin('a seat', performance.now() - startedAt, CONNECT_MS);
  return tab;
}

interface Stage {
  readonly gateway: LoginGateway;
  readonly proxy: ProxyProcess;
  readonly person: Person;
  readonly tabs: readonly Tab[];
  readonly random: () => number;
}
const [by0, by1] = ['token', 'ticket'] as const;
const optionsOf = ({ proxy }: Pick<Stage, 'proxy'>, i: number) => ({ port: proxy.port, by: i % 3 === 2 ? by1 : by0, maxDelayMs: TIMES.maxDelayMs });

async function openTabs(stage: Omit<Stage, 'tabs'>, cleanUp: AsyncDisposableStack): Promise<readonly Tab[]> {
  return await Promise.all(
    Array.from({ length: TABS }, async (_, i) => {
      await delay(i * 100);
      return cleanUp.use(await opened(() => Tab.open(stage.person, optionsOf(stage, i))));
    }),
  );
}

/** Fifteen cuts; every third one in the middle of an answer. */
async function cutNetworks({ tabs, random }: Stage): Promise<void> {
  const [least = 0, most = 0] = TIMES.cutMs;
  for (let i = 0; i < CUTS; i++) {
    const tab = tabs[i % tabs.length] as Tab;
    const { manager } = tab;
    const answer = i % 3 === 0 ? tab.ask('count to 60') : null;
    if (answer !== null) await until('an answer under way', () => tab.read.at(-1)?.startsWith('text_delta') === true, FIRST_EVENT_MS, 5);
    await tab.cut(between(random, least, most));
    await tab.whenLive(TIMES.backMs);
    expect([tab.seatings.at(-1), tab.manager], `cut ${i}`).toEqual(['attached', manager]);
    if (answer !== null) expectAnswer(60, await answer);
  }
}

/** A hundred times somebody connects and leaves, four at a time. */
async function comeAndGo(stage: Stage): Promise<void> {
  const startedAt = performance.now();
  let left = CYCLES;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const tab = await opened(() => Tab.open(stage.person, optionsOf(stage, left)));
      await tab[Symbol.asyncDispose]();
    }
  };
  const answer = (stage.tabs[0] as Tab).ask('count to 20');
  await Promise.all([one(), one(), one(), one()]);
  expectWithin('a hundred cycles', performance.now() - startedAt, CYCLES_WITHIN_MS);
  expectAnswer(20, await answer);
}

/** A ticket that was used, a token of somebody else's making: refused, and no seat is made. */
async function refuseStrangers({ gateway, proxy, person }: Stage): Promise<void> {
  const before = await gateway.status(USER);
  const url = `ws://127.0.0.1:${proxy.port}/v1/ws`;
  const ticket = await person.ticket();
  await using first = await WireClient.open(`${url}?ticket=${ticket}`);
  first.sendFrame(HELLO);
  await first.next('ready');
  first.sendFrame({ type: 'bye', reason: 'left' });
  await first.close();
  await using again = await WireClient.open(`${url}?ticket=${ticket}`);
  again.sendFrame(HELLO);
  expect((await again.close()).code).toBe(4501);
  await using forged = await WireClient.open(url);
  forged.sendFrame({ ...HELLO, token: await tokenFor(USER) });
  expect((await forged.close()).code).toBe(4501);
  // Somebody in a hurry asks before a seat is given: what was said waits for it.
  await using hasty = await WireClient.open(url);
  hasty.sendFrame({ ...HELLO, token: await person.token() });
  hasty.sendFrame({ type: 'subscribe', sub: 1, thread: 'hasty', from: 'start' });
  hasty.sendFrame({ type: 'send', id: 'hasty', thread: 'hasty', data: { text: 'count to 3' } });
  await hasty.nextWhere('the end of its answer', ({ type, data }) => type === 'event' && [data].flat().some((event) => event.type === 'agent_completed'));
  hasty.sendFrame({ type: 'bye', reason: 'left' });
  await hasty.close();
  expect((await gateway.status(USER)).seats).toBe(before.seats);
}

/** Killed in the middle of an answer, started again on the same file, and everybody comes at once. */
async function killAndRestart(stage: Stage): Promise<void> {
  const { gateway, tabs, person, proxy } = stage;
  const another = await Person.login(proxy.url, 'ben');
  const [asker, writer] = tabs as readonly [Tab, Tab];
  const torn = asker.ask('count to 400');
  await until('an answer under way', () => asker.read.at(-1)?.startsWith('text_delta') === true, FIRST_EVENT_MS, 5);
  await gateway.kill();
  await until('the tabs to notice', () => tabs.every((tab) => !tab.isLive));
  const written = writer.ask('count to 10');
  await gateway.restart();
  const newcomers = await Promise.all(
    Array.from({ length: NEWCOMERS }, (_, i) => opened(() => Tab.open(i < OF_ANOTHER ? another : person, optionsOf(stage, i)))),
  );
  await Promise.all(tabs.map((tab) => tab.whenLive(TIMES.backMs)));
  // The end of the one is told, the beginning of the other was kept.
  expect((await torn).types.at(-1)).toBe('agent_error');
  const { text, types } = await written;
  expect([text.startsWith('1,'), types.at(-1)]).toEqual([true, 'agent_completed']);
  expectAnswer(30, await asker.ask('count to 30'));
  await Promise.all(newcomers.map((tab) => tab[Symbol.asyncDispose]()));
}

/** The network is away for so long that every seat is given up; a message is written meanwhile. */
async function outage({ tabs }: Stage): Promise<void> {
  const [asker] = tabs as readonly [Tab];
  const dials = asker.dials;
  const away = tabs.map((tab) => tab.cut(TIMES.outageMs));
  await until('the tabs to notice', () => tabs.every((tab) => !tab.isLive));
  const written = asker.ask('count to 10');
  await Promise.all(away);
  await Promise.all(tabs.map((tab) => tab.whenLive(TIMES.backMs)));
  expect(asker.dials - dials, 'attempts in the outage').toBeGreaterThan(10);
  expect((await written).types.at(-1)).toBe('agent_completed');
}

const startProxy = { nginx: startNginx, haproxy: startHaproxy };

/** One of them every time, since the other adds nothing but its minute. */
const PROXIES = IS_LONG ? (['nginx', 'haproxy'] as const) : (['nginx'] as const);

test.for(PROXIES)(
  'AS-12 through %s: every message is answered, whole and once, whatever happens to tabs, networks, tokens and the gateway',
  { timeout: TEST_MS },
  (kind, context) =>
    gated(async () => {
      const { path, missing } = need(kind);
      if (path === null) context.skip(missing);
      await using cleanUp = new AsyncDisposableStack();
      const folder = temporaryFolder();
      cleanUp.defer(() => folder[Symbol.dispose]());
      const gateway = cleanUp.use(
        await LoginGateway.start({
          folder: folder.path,
          port: 0,
          timing: IS_LONG ? 'default' : 'fast',
          options: { resume: { windowMs: TIMES.windowMs } },
          tokenTtlMs: TIMES.tokenMs,
          pace: { wordsPerSecond: 100, stepMs: 20 },
        }),
      );
      const proxy = cleanUp.use(await startProxy[kind]({ upstream: gateway.url }));
      const person = await Person.login(proxy.url);
      const base = { gateway, proxy, person, random: seeded(12) };
      const all = await openTabs(base, cleanUp);
      const openedAt = performance.now();
      const [tabs, dying] = [all.slice(0, TABS - DEAD), all.slice(TABS - DEAD)];
      const stage: Stage = { ...base, tabs };
      const asker = tabs[0] as Tab;
      expectAnswer(20, await asker.ask('count to 20'));
      const calm = await gateway.status(USER);
      expect([calm.seats, calm.effective, calm.sockets]).toEqual([TABS, TABS, TABS]);

      await Promise.all(dying.map((tab) => tab.die()));
      const buried = until('the dead to be uncounted', async () => (await gateway.status(USER)).effective === tabs.length, 30_000, 250);
      await cutNetworks(stage);
      await buried;
      await until('their seats to be free', async () => (await gateway.status(USER)).seats === tabs.length, TIMES.windowMs + 30_000, 250);
      expect(tabs.flatMap((tab) => tab.seatings.slice(1)).every((how) => how === 'attached')).toBe(true);
      await comeAndGo(stage);
      await refuseStrangers(stage);
      expect((await gateway.status(USER)).heldBytes - calm.heldBytes).toBeLessThan(GROWTH_BYTES);

      await killAndRestart(stage);
      const again = await gateway.status(USER);
      await outage(stage);
      await delay(Math.max(0, TIMES.outliveMs - (performance.now() - openedAt)));
      expect(person.refreshed).toBeGreaterThanOrEqual(5);
      expectAnswer(20, await asker.ask('count to 20'));

      // After a reload, and in every other tab: the same, once, in order.
      const reloaded = cleanUp.use(await opened(() => Tab.open(person, optionsOf(stage, 0))));
      await until('all tabs to have read the same', () =>
        [...tabs, reloaded].every(({ read }) => read.length === asker.read.length && read.at(-1) === asker.read.at(-1)),
      );
      for (const { read, holes } of [...tabs, reloaded]) expect([read, holes]).toEqual([asker.read, []]);
      const { messages } = await reloaded.client.thread(THREAD).snapshot();
      const answers = messages.filter(({ role, status }) => role === 'assistant' && status === 'complete').length;
      // One answer a message; the one whose producer was killed is told as failed.
      expect([answers, messages.filter(({ status }) => status === 'failed').length]).toEqual([messages.filter(({ role }) => role === 'user').length - 1, 1]);

      const open = tabs.length + 1;
      await until(
        'only open tabs to have seats',
        async () => {
          const { seats, effective, sockets } = await gateway.status(USER);
          return seats === open && effective === open && sockets === open;
        },
        TIMES.windowMs + 10_000,
        250,
      );
      const end = await gateway.status(USER);
      expect([end.differences, end.troubles]).toEqual([[], []]);
      expect(end.heldBytes - again.heldBytes).toBeLessThan(GROWTH_BYTES);
      for (const { states, closes } of tabs) {
        expect(states.map(({ name }) => name).filter((name) => !['connecting', 'live', 'reconnecting', 'offline'].includes(name))).toEqual([]);
        // What has a ticket alone gets a new one when its credential has ended; nobody else is ever sent for one.
        expect(closes.filter((code) => code !== 1006 && code !== 4010)).toEqual([]);
      }
    })(context),
);
