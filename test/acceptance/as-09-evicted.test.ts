/** AS-09: pages lose their seats in the middle of a run, by Force and at every single offset; their persons come back and miss nothing. */

import { afterEach, expect, test } from 'vitest';
import type { Agent } from '../../src/ports/agent.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { numberedAgent } from '../support/lossless/numbered-agent.ts';
import type { Attempted } from '../support/lossless/records.ts';
import { attemptedBy, COUNT, expectOneEnd, expectWhole, logOf, OFFSETS, Page, seatsOf, type Tally } from './as-09-scene.ts';

const EVICTED_FOR_NEWER = 4_201;
const FREED_BY_USER = 4_203;
/** Everybody lives in this one process: its farewells may take as long as it is busy. */
const LINGER_MS = 5_000;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

test(`Force takes it, at ${OFFSETS.length} offsets of a run, and the person asks for it again`, { timeout: 120_000 }, async () => {
  const attempted: Attempted[] = [];
  const gw = cleanUp.use(
    await startGateway({
      agent: numberedAgent({ attempted: (line) => attempted.push(line) }),
      limits: { perUser: 2, burst: { perUser: 2 }, overflowPolicy: 'force-first' },
      cleanup: { proactive: false, maxPinnedSpare: 0, lingerForceMs: LINGER_MS },
    }),
  );
  const tally: Tally = { runs: 0, pages: 0, events: 0 };
  const people = await Promise.all(
    OFFSETS.map(async (at) => {
      const user = `force-${at}`;
      const x = cleanUp.use(await Page.open(gw, user, 'X'));
      const y = cleanUp.use(await Page.open(gw, user, 'Y'));
      // So that it is X who has to go: of two pages that read the same Force would take either.
      expect(gw.gateway.factory.find(y.state?.manager as ManagerId)?.pin()).toBe(true);
      return { user, at, x, y };
    }),
  );
  await Promise.all(
    people.map(async ({ user, at, x, y }) => {
      y.ask();
      await x.until(`an ack of ${at}`, () => x.acked >= at);
      {
        await using newcomer = await Page.open(gw, user, 'Z');
        await x.until('superseded', () => x.state?.name === 'superseded');
        expect(newcomer.isLive).toBe(true);
      }
      expect(x.applied).toBeLessThan(COUNT);
      await x.recorder.client.resume();
      await Promise.all([x.hasEnded(), y.hasEnded()]);
    }),
  );
  for (const { user, x, y } of people) {
    const token = await gw.token(user);
    const log = await logOf(gw.url, token);
    expectOneEnd(user, log, tally);
    for (const page of [x, y]) expectWhole(user, page.lines, log, attemptedBy(user, attempted), tally);
    expect({ user, closes: x.closes, how: x.seatings, ends: x.ends }).toEqual({
      user,
      closes: [EVICTED_FOR_NEWER],
      how: ['fresh', 'readmitted'],
      ends: ['completed'],
    });
    expect({ user, closes: y.closes, repeats: y.recorder.repeats, ends: y.ends }).toEqual({ user, closes: [], repeats: 0, ends: ['completed'] });
    expect({ user, seats: await seatsOf(gw.url, token) }).toEqual({ user, seats: 2 });
  }
  process.stdout.write(`AS-09, Force: ${tally.runs} runs, ${tally.pages} pages, ${tally.events} events compared, 0 lost, 0 doubled, 0 reordered\n`);
});

/** The message, the run's start and its end are offsets too. */
const ALL_OFFSETS = COUNT + 3;
/** So many people share them, so that nobody holds more seats than people do. */
const PEOPLE = 16;

/** Lets one event of a person's run pass at a time. */
class Turnstile {
  #passed = new Map<string, number>();
  #waiting = new Map<string, () => void>();

  /** Everything of this person's run up to this offset may be said. The run's first event has offset 2. */
  open(user: string, offset: number): void {
    this.#passed.set(user, offset);
    this.#waiting.get(user)?.();
  }

  agent(inner: Agent): Agent {
    const passes = async (user: string, offset: number): Promise<void> => {
      while ((this.#passed.get(user) ?? 0) < offset) await new Promise<void>((resolve) => this.#waiting.set(user, resolve));
    };
    return {
      ...inner,
      async *run(asked) {
        let offset = 2;
        for await (const event of inner.run(asked)) {
          await passes(asked.userId, offset++);
          yield event;
        }
      },
    };
  }
}

test(`evicted and back at every one of the ${ALL_OFFSETS} offsets of a run`, { timeout: 120_000 }, async () => {
  const attempted: Attempted[] = [];
  const turnstile = new Turnstile();
  const agent = turnstile.agent(numberedAgent({ attempted: (line) => attempted.push(line) }));
  const gw = cleanUp.use(
    await startGateway({ agent, limits: { perUser: 25, burst: { perUser: 25 } }, cleanup: { proactive: false, lingerForceMs: LINGER_MS } }),
  );
  const tally: Tally = { runs: 0, pages: 0, events: 0 };
  const evictedAt = new Set<number>();

  const live = async (who: number): Promise<void> => {
    const user = `person-${who}`;
    const token = await gw.token(user);
    const y = await Page.open(gw, user, 'Y');
    cleanUp.use(y);
    const xs: Page[] = [];
    y.ask({ count: COUNT, bytes: 60, plainEvery: 7 });
    let next: Promise<Page> | null = null;
    for (let offset = 1; offset <= ALL_OFFSETS; offset++) {
      turnstile.open(user, offset);
      // It begins to follow when the one before it has been evicted.
      next ??= Page.open(gw, user, `X${xs.length}`);
      if (offset % PEOPLE !== who) {
        await y.until(`offset ${offset}`, () => y.offset >= offset);
        continue;
      }
      const x = cleanUp.use(await next);
      next = null;
      xs.push(x);
      await x.until(`offset ${offset}`, () => x.offset >= offset);
      evictedAt.add(x.offset);
      await evict(gw, x);
      // It is away for the next event, which it finds when it comes back.
      void x.recorder.client.resume();
    }
    if (next !== null) await (await next)[Symbol.asyncDispose]();
    // Who was evicted at the end of the run has seen all of it before it is back.
    await Promise.all([y, ...xs].flatMap((page) => [page.hasEnded(), page.until('live again', () => page.isLive)]));
    const log = await logOf(gw.url, token);
    const own = attemptedBy(user, attempted);
    expectOneEnd(user, log, tally);
    for (const page of [y, ...xs]) {
      expectWhole(user, page.lines, log, own, tally);
      expect(page.ends).toEqual(['completed']);
    }
    expect(y.closes).toEqual([]);
    for (const x of xs) expect({ closes: x.closes, how: x.seatings }).toEqual({ closes: [FREED_BY_USER], how: ['fresh', 'readmitted'] });
    expect(await seatsOf(gw.url, token)).toBe(xs.length + 1);
  };
  await Promise.all(Array.from({ length: PEOPLE }, (_, who) => live(who)));
  expect(evictedAt.size).toBe(ALL_OFFSETS);
  process.stdout.write(
    `AS-09, every offset: ${evictedAt.size} evictions in ${tally.runs} runs, ${tally.pages} pages, ${tally.events} events compared, 0 lost, 0 doubled, 0 reordered\n`,
  );
});

async function evict(gw: TestGateway, page: Page): Promise<void> {
  const answer = await gw.request('DELETE', `/v1/me/sessions/${page.state?.manager}`, { user: page.user });
  expect(answer.status).toBe(200);
  await page.until('superseded', () => page.state?.name === 'superseded');
}
