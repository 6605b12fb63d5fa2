/** AS-09: nothing is lost in the middle of a run, whatever happens to a page of it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultGateway } from '../faults/fault-gateway.ts';
import { readLines } from '../support/lossless/read-lines.ts';
import { RecordingClient, RecordingProcess } from '../support/lossless/recording-client.ts';
import type { Attempted, Line } from '../support/lossless/records.ts';
import { processState, until } from '../support/peers/kernel.ts';
import {
  attemptedBy,
  COUNT,
  expectOneEnd,
  expectWhole,
  logOf,
  OFFSETS,
  Page,
  roadTo,
  seatsOf,
  staggered,
  type Tally,
  THREAD,
  TIMING,
  timed,
} from './as-09-scene.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-as-09-'));
const tally: Tally = { runs: 0, pages: 0, events: 0 };
let gateway: FaultGateway;
beforeAll(async () => {
  gateway = await FaultGateway.start({ timing: TIMING, folder, store: 'file' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`AS-09, pages: ${tally.runs} runs, ${tally.pages} pages, ${tally.events} events compared, 0 lost, 0 doubled, 0 reordered\n`);
});

const usersOf = (fault: string): readonly { readonly user: string; readonly at: number }[] => OFFSETS.map((at) => ({ user: `${fault}-${at}`, at }));

/** Both pages of everybody end with the whole answer, Y has noticed nothing, and nobody holds more seats than before. */
async function expectAllWhole(people: readonly { readonly user: string; readonly y: Page; readonly x: () => Iterable<Line> }[]): Promise<void> {
  const attempted = [...readLines<Attempted>(gateway.attempted)];
  for (const { user, x, y } of people) {
    const token = await gateway.token(user);
    const log = await logOf(gateway.url, token);
    const own = attemptedBy(user, attempted);
    expectOneEnd(user, log, tally);
    expectWhole(user, x(), log, own, tally);
    expectWhole(user, y.lines, log, own, tally);
    expect({ user, closes: y.closes, ends: y.ends, repeats: y.recorder.repeats }).toEqual({ user, closes: [], ends: ['completed'], repeats: 0 });
    expect({ user, seats: await seatsOf(gateway.url, token) }).toEqual({ user, seats: 2 });
  }
}

describe('on the road between page and gateway', () => {
  const FAULTS = {
    'a reset': async ({ reset }: Awaited<ReturnType<typeof roadTo>>): Promise<void> => reset(),
    '1 kB/s for a while': async ({ throttle }: Awaited<ReturnType<typeof roadTo>>): Promise<void> => {
      throttle(1_000);
      await delay(timed(10_000));
      throttle(null);
    },
  };
  for (const [story, fault] of Object.entries(FAULTS)) {
    test(`${story}, at ${OFFSETS.length} offsets of a run`, { timeout: 120_000 }, async () => {
      await using cleanUp = new AsyncDisposableStack();
      const people = await Promise.all(
        usersOf(story.startsWith('a') ? 'reset' : 'slow').map(async ({ user, at }) => {
          const road = cleanUp.use(await roadTo(gateway));
          const x = cleanUp.use(await Page.open(gateway, user, 'X', road.url));
          const y = cleanUp.use(await Page.open(gateway, user, 'Y'));
          return { user, at, road, page: x, y, x: () => x.lines };
        }),
      );
      await Promise.all(
        people.map(async ({ at, page, y, road }) => {
          y.ask();
          await page.until(`an ack of ${at}`, () => page.acked >= at);
          await fault(road);
          await Promise.all([page.hasEnded(), y.hasEnded()]);
        }),
      );
      if (story === 'a reset') for (const { user, page } of people) expect({ user, how: page.seatings }).toEqual({ user, how: ['fresh', 'attached'] });
      await expectAllWhole(people);
    });
  }
});

describe('in the process of the page', () => {
  /** X of everybody in one process, Y of everybody here. */
  async function open(cleanUp: AsyncDisposableStack, fault: string) {
    const process = cleanUp.use(new RecordingProcess());
    return {
      process,
      people: await Promise.all(
        usersOf(fault).map(async ({ user, at }) => {
          const options = {
            url: gateway.wsUrl,
            tokens: [await gateway.token(user)],
            thread: THREAD,
            name: user,
            drawer: join(folder, `${user}.drawer`),
            label: 'X',
          };
          const client = cleanUp.use(await RecordingClient.open({ ...options, process, file: join(folder, `${user}.jsonl`) }));
          const y = cleanUp.use(await Page.open(gateway, user, 'Y'));
          return { user, at, options, client, y };
        }),
      ),
    };
  }

  test('it is stopped for a while, wherever its runs are', { timeout: 120_000 }, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const { process, people } = await open(cleanUp, 'stopped');
    await staggered(people.map(({ y }) => y));
    await Promise.all(people.map(({ client, at }) => client.reaches('acked', at / 2)));
    process.signal('SIGSTOP');
    await until('the page to stand still', () => processState(process.pid) === 'T');
    await delay(timed(20_000));
    process.signal('SIGCONT');
    await Promise.all(people.flatMap(({ client, y }) => [client.said('run-ended'), y.hasEnded()]));
    await expectAllWhole(people.map(({ user, y, client }) => ({ user, y, x: () => readLines<Line>(client.file) })));
  });

  test('it is reloaded, wherever its runs are: the new page ends with exactly 1…300', { timeout: 120_000 }, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const { process, people } = await open(cleanUp, 'reloaded');
    await staggered(people.map(({ y }) => y));
    await Promise.all(people.map(({ client, at }) => client.reaches('acked', at / 2)));
    await process.kill();
    const cutAt = people.map(({ client }) => [...readLines<Line>(client.file)].findLast((line) => line.is === 'applied')?.to ?? 0);
    // The runs were in the middle, each somewhere else.
    expect(new Set(cutAt).size).toBeGreaterThan(OFFSETS.length / 2);
    expect(Math.max(...cutAt)).toBeLessThan(COUNT);
    const next = cleanUp.use(new RecordingProcess());
    const reloaded = await Promise.all(
      people.map(async ({ user, options, client, y }) => {
        const again = await RecordingClient.open({ ...options, process: next, file: join(folder, `${user}-again.jsonl`) });
        expect({ user, manager: again.manager, how: again.state?.how }).toEqual({ user, manager: client.manager, how: 'attached' });
        return { user, y, client: again };
      }),
    );
    await Promise.all(reloaded.flatMap(({ client, y }) => [client.said('run-ended'), y.hasEnded()]));
    await expectAllWhole(reloaded.map(({ user, y, client }) => ({ user, y, x: () => readLines<Line>(client.file) })));
  });
});
