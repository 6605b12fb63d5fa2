import { Browser, type Tab } from '../browser.ts';
import { compare } from '../figures.ts';
import { OwnGateway } from '../own-gateway.ts';
import type { Stage } from '../stage.ts';
import { ANSWER_WITHIN_MS, longQuestion, wholenessOfAll } from '../talk.ts';

const TABS_EACH = 10;
const ANSWER_S = 12;
const OPEN_WITHIN_MS = 60_000;
const BACK_WITHIN_MS = 60_000;
const DRAINED_WITHIN_MS = 90_000;
const DRAINING = 4001;
/** Of the time over which clients are moved: no such part may meet more than half of them. */
const WINDOW_SHARE = 0.25;

/** A gateway is asked to stop while answers are under way; another takes its place. */
export async function drain(stage: Stage): Promise<void> {
  const { order, crew } = stage;
  const spread = stage.expects('Clients are moved one by one, not all at once');
  const gentle = stage.expects('The node ends by itself, after the answers that were under way');
  const back = stage.expects('Every tab is back on the next process by itself');
  const whole = stage.expects('Every answer is whole: no gap, nothing twice');
  const gateway = new OwnGateway(stage);
  const address = await gateway.start();
  stage.moveTo(address, '');
  stage.step('a gateway of its own, with its own store file');

  const browser = Browser.start(crew);
  const groups = await openGroups(stage, browser, gateway);
  const tabs = browser.tabs;
  await stage.needs(`${tabs.length} tabs to be seated`, OPEN_WITHIN_MS, () => (tabs.every(({ isLive }) => isLive) ? true : null));
  stage.step(`${tabs.length} tabs of ${groups.length} users open`);
  for (const [i, [first]] of groups.entries()) first?.tell({ ask: { id: `${order.id}-${i}`, text: longQuestion(ANSWER_S) } });
  await stage.needs('answers to begin', ANSWER_WITHIN_MS, () => (tabs.every(({ told }) => told.characters > 0) ? true : null));
  const wasSeated = tabs.map(({ returns }) => returns.length);

  const askedAt = performance.now();
  gateway.member?.signal('SIGTERM');
  stage.step('SIGTERM in the middle of all answers');
  const isGone = await stage.sees(DRAINED_WITHIN_MS, () => (gateway.member?.isThere() === false ? true : null));
  const code = gateway.member?.child.exitCode ?? null;
  gentle(isGone === true && code === 0, isGone ? `exit ${code} after ${seconds(performance.now() - askedAt)} s` : 'it is still there');
  const moved = tabs.flatMap(({ ends }) => ends.find(({ code: ended }) => ended === DRAINING)?.at ?? []);
  const { ok, seen } = spreadOf(moved, tabs.length, order.options.shutdown.spreadMs);
  spread(ok, seen);
  stage.step(`${moved.length} clients moved; ${seen}`);

  await gateway.start();
  stage.step('the next process listens at the same address');
  await stage.sees(BACK_WITHIN_MS, () => (tabs.every(({ isLive }) => isLive) ? true : null));
  const live = tabs.filter(({ isLive }) => isLive).length;
  back(live === tabs.length, `${live} of ${tabs.length}`);
  stage.step(`${live}/${tabs.length} back`);
  await stage.sees(ANSWER_WITHIN_MS, () => (groups.every((group, i) => runOf(group, `${order.id}-${i}`) !== null) ? true : null));
  const runs = groups.map((group, i) => runOf(group, `${order.id}-${i}`) ?? '');
  await stage.sees(ANSWER_WITHIN_MS, () => (groups.every((group, i) => group.every(({ told }) => told.answers[runs[i] ?? ''])) ? true : null));
  const results = groups.map((group, i) => wholenessOfAll(group, runs[i] ?? ''));
  const broken = results.find((result) => !result.ok);
  whole(broken === undefined, broken?.seen ?? `${tabs.length} tabs, ${groups.length} answers; the first: ${results[0]?.seen}`);
  stage.step('answers compared');

  await compare(stage, async () => {
    const status = await stage.admin.status();
    const seated = tabs.reduce((sum, { returns }, i) => sum + returns.slice(wasSeated[i]).filter((how) => how !== 'attached').length, 0);
    return [
      { of: 'seats', said: { clients: tabs.filter(({ isLive }) => isLive).length, gateway: status.seats } },
      { of: 'sockets', said: { clients: tabs.filter(({ isLive }) => isLive).length, gateway: status.sockets } },
      { of: 'users', said: { clients: groups.length, gateway: status.users } },
      { of: 'seated anew', said: { clients: seated, gateway: status.created } },
    ];
  });
}

/** Ten tabs to a user, each user with a conversation of their own. */
async function openGroups({ order, wsUrl }: Stage, browser: Browser, gateway: OwnGateway): Promise<readonly (readonly Tab[])[]> {
  const groups: Tab[][] = [];
  for (let left = order.count; left > 0; left -= TABS_EACH) {
    const user = `${order.user}-${groups.length + 1}`;
    const opening = { url: wsUrl, token: await gateway.token(user), thread: `${order.id}-drain` };
    groups.push(Array.from({ length: Math.min(left, TABS_EACH) }, (_, i) => browser.open({ ...opening, label: `tab ${i + 1}` })));
  }
  return groups;
}

const runOf = ([first]: readonly Tab[], id: string): string | null => first?.runOf(id) ?? null;

/** Whether the moments lie apart. */
function spreadOf(moments: readonly number[], expected: number, overMs: number): { readonly ok: boolean; readonly seen: string } {
  const sorted = [...moments].sort((a, b) => a - b);
  const windowMs = overMs * WINDOW_SHARE;
  let most = 0;
  for (const [i, at] of sorted.entries()) most = Math.max(most, sorted.slice(i).filter((one) => one - at <= windowMs).length);
  const tookMs = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  const seen = `${moments.length} of ${expected} told to move over ${seconds(tookMs)} s, at most ${most} within ${seconds(windowMs)} s`;
  return { ok: moments.length === expected && (expected < TABS_EACH || most <= expected / 2), seen };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
