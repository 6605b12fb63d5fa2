import { Browser } from '../browser.ts';
import { evictionsOf, reasonInClose, tally } from '../evictions.ts';
import { cleanupsSince, compare, figuresOf, reportEvictions, roomOf, usualFacts } from '../figures.ts';
import { nextLogin } from '../next-login.ts';
import type { ProxyNews, ProxyOrder } from '../peers/proxy-messages.ts';
import type { Stage } from '../stage.ts';
import { openTabs } from '../talk.ts';
import { applicationBoundMs, watchDead } from '../watch-dead.ts';

const START_WITHIN_MS = 10_000;

/** A proxy answers pings for clients that were killed. */
export async function autoPongProxy(stage: Stage): Promise<void> {
  const { order, admin, crew } = stage;
  const { count, user } = order;
  const found = stage.expects(`All ${count} are found dead although the proxy answers every ping`);
  const login = nextLogin(stage, `login ${count + 1}`);
  const before = await figuresOf(admin);

  const proxy = crew.peer('pong-proxy');
  let port: number | null = null;
  let pings = 0;
  const closes: string[] = [];
  proxy.hear((news: ProxyNews) => {
    if ('port' in news) port = news.port;
    else if ('answered' in news) pings++;
    else closes.push(news.closed.reason);
  });
  const target: ProxyOrder = { target: stage.wsUrl };
  proxy.tell({ ...target });
  const at = await stage.needs('a proxy', START_WITHIN_MS, () => port);

  const browser = Browser.start(crew);
  const tabs = await openTabs(stage, browser, count, `${order.id}-proxied`, 'tab behind a proxy', { url: `ws://127.0.0.1:${at}` });
  browser.pages.signal('SIGKILL');
  await browser.pages.ended;
  const since = performance.now();
  stage.step('the process with the tabs is killed; the proxy goes on answering pings');

  const boundMs = await applicationBoundMs(stage);
  const { all, seen } = await watchDead(stage, { managers: new Set(tabs.map(({ manager }) => manager)), before, since, boundMs });
  found(all && pings > 0, `${seen}; ${pings} pings answered for nobody`);

  const next = await login();
  await compare(stage, async () => {
    const evictions = evictionsOf(await cleanupsSince(admin, before), user);
    const reasons = closes.map(reasonInClose).filter((reason) => reason !== '');
    return [
      { of: 'evicted', said: { proxy: reasons.length, records: evictions.total } },
      { of: 'for', said: { proxy: tally(reasons), records: evictions.reasons } },
      { of: 'sockets', said: { proxy: count + 1 - closes.length, gateway: (await roomOf(admin, user)).sockets } },
      ...(await usualFacts(stage, before, [...tabs, next], count + 1 - evictions.total)),
    ];
  });
  await reportEvictions(stage, before);
}
