import { Browser } from '../browser.ts';
import { evictionsOf, reasonInClose, tally } from '../evictions.ts';
import { cleanupsSince, compare, figuresOf, reportEvictions, roomOf, usualFacts } from '../figures.ts';
import { nextLogin } from '../next-login.ts';
import type { Stage } from '../stage.ts';
import { askUntilItFlows, longQuestion, openTabs } from '../talk.ts';
import { applicationBoundMs, watchDead } from '../watch-dead.ts';

const ANSWER_S = 8;

/** Tabs that answer pings and nothing else. */
export async function frozenTabs(stage: Stage): Promise<void> {
  const { order, admin, crew } = stage;
  const { count, user } = order;
  const found = stage.expects(`All ${count} are found dead although every ping is answered`);
  const login = nextLogin(stage, `login ${count + 1}`);
  const before = await figuresOf(admin);

  const browser = Browser.startInTwo(crew);
  const tabs = await openTabs(stage, browser, count, `${order.id}-frozen`, 'frozen tab');
  await askUntilItFlows(stage, tabs[0] as (typeof tabs)[number], tabs, longQuestion(ANSWER_S));
  browser.pages.signal('SIGSTOP');
  browser.pings.clear();
  const since = performance.now();
  stage.step('pages frozen in the middle of an answer; their sockets go on answering pings');

  const boundMs = await applicationBoundMs(stage);
  const { all, seen } = await watchDead(stage, { managers: new Set(tabs.map(({ manager }) => manager)), before, since, boundMs });
  const pings = [...browser.pings.values()].reduce((sum, one) => sum + one, 0);
  found(all && pings > 0, `${seen}; ${pings} pings answered meanwhile`);

  const next = await login();
  await compare(stage, async () => {
    const evictions = evictionsOf(await cleanupsSince(admin, before), user);
    const reasons = browser.closes.map(({ reason }) => reasonInClose(reason)).filter((reason) => reason !== '');
    return [
      { of: 'evicted', said: { clients: reasons.length, records: evictions.total } },
      { of: 'for', said: { clients: tally(reasons), records: evictions.reasons } },
      { of: 'sockets', said: { clients: count + 1 - browser.closes.length, gateway: (await roomOf(admin, user)).sockets } },
      ...(await usualFacts(stage, before, [...tabs, next], count + 1 - evictions.total)),
    ];
  });
  await reportEvictions(stage, before);
}
