import { setTimeout as delay } from 'node:timers/promises';
import type { NoticeKind } from '../../client/index.ts';
import { Browser, type Tab } from '../browser.ts';
import { evictionsOf } from '../evictions.ts';
import { cleanupsSince, compare, figuresOf, reportEvictions, usualFacts } from '../figures.ts';
import type { Stage } from '../stage.ts';
import { SLACK_MS } from '../watch-dead.ts';

const OVER_MS = 60_000;

/** An application opens tabs and forgets them. */
export async function leakyTabs(stage: Stage): Promise<void> {
  const { order, admin, crew } = stage;
  const { count, options, user } = order;
  const { perUser, burst } = options.limits;
  const seated = stage.expects(`All ${count} get a seat, nobody is refused`);
  const hasBurst = count > perUser && options.limits.overflowPolicy === 'burst-first';
  const told = hasBurst ? stage.expects(`Behind ${perUser} seats comes a burst, and people are told`) : null;
  const waited = hasBurst && count > burst.perUser ? stage.expects(`Behind ${burst.perUser} seats comes the queue, and a place ends with a seat`) : null;
  const before = await figuresOf(admin);

  const browser = Browser.start(crew);
  const tabs: Tab[] = [];
  const tellTurns = teller(stage);
  for (let i = 0; i < count; i++) {
    tabs.push(browser.open({ url: stage.wsUrl, token: stage.token, thread: `${order.id}-leak-${i}`, label: `forgotten tab ${i + 1}` }));
    tellTurns(tabs);
    await delay(OVER_MS / count);
  }
  stage.step(`${count} tabs opened and forgotten in ${OVER_MS / 1_000} s`);
  await stage.sees(options.queue.waitMs + options.queue.promiseMs + SLACK_MS, () => (tabs.every(hadSeat) ? true : null));
  const had = tabs.filter(hadSeat);
  const slowest = Math.round(Math.max(...had.map(({ seatedAfterMs }) => seatedAfterMs ?? 0)));
  const failed = tabs.filter(({ states }) => states.includes('failed'));
  seated(had.length === count && failed.length === 0, `${had.length} of ${count}, the slowest after ${slowest} ms; ${failed.length} refused`);
  stage.step(`${had.length}/${count} had a seat`);
  const inBurst = tabs.filter(({ seat }) => seat === 'burst').length;
  const readers = (kind: NoticeKind): number => tabs.filter(({ notices }) => notices.some((notice) => notice.kind === kind)).length;
  told?.(inBurst > 0 && readers('burst') > 0, `${inBurst} seats of the burst; ${readers('burst')} tabs read the notice`);
  const queued = tabs.filter(wasQueued);
  const longest = Math.round(Math.max(0, ...queued.map(({ seatedAfterMs }) => seatedAfterMs ?? 0)));
  waited?.(
    queued.length > 0 && queued.every(hadSeat),
    `${queued.length} waited, the longest ${longest} ms; ${queued.filter(hadSeat).length} of them were seated`,
  );

  await compare(stage, async () => {
    const evictions = evictionsOf(await cleanupsSince(admin, before), user);
    const sentAway = tabs.reduce((sum, { states }) => sum + states.filter((name) => name === 'superseded').length, 0);
    return [
      { of: 'evicted', said: { clients: sentAway, records: evictions.total } },
      ...(await usualFacts(stage, before, tabs, tabs.filter(({ isLive }) => isLive).length)),
    ];
  });
  await reportEvictions(stage, before);
}

const hadSeat = ({ seatedAfterMs }: Tab): boolean => seatedAfterMs !== null;
const wasQueued = ({ states }: Tab): boolean => states.includes('queued');

/** Tells the first time that something happens to one of them. */
function teller(stage: Stage): (tabs: readonly Tab[]) => void {
  const turns: Record<string, (tab: Tab) => boolean> = {
    'has a seat of the burst': ({ seat }) => seat === 'burst',
    'waits in the queue': wasQueued,
    'is the first that was sent away': ({ states }) => states.includes('superseded'),
  };
  return (tabs) => {
    for (const [text, isSo] of Object.entries(turns)) {
      const number = tabs.findIndex(isSo) + 1;
      if (number === 0) continue;
      stage.step(`tab ${number} ${text}`);
      delete turns[text];
    }
  };
}
