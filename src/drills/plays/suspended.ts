import { Browser } from '../browser.ts';
import { compare, figuresOf, reportEvictions, usualFacts } from '../figures.ts';
import type { Stage } from '../stage.ts';
import { ANSWER_WITHIN_MS, askUntilItFlows, longQuestion, openTabs, wholenessOfAll } from '../talk.ts';
import { SLACK_MS, transportBoundMs, watchDead } from '../watch-dead.ts';

/** The answer goes on for a while after they were given up. */
const LONGER_S = 2;

/** A process with its tabs and their sockets is stopped while events stream to it. */
export async function suspended(stage: Stage): Promise<void> {
  const { order, admin, crew } = stage;
  const { count } = order;
  const boundMs = transportBoundMs(stage);
  const found = stage.expects(`${count === 1 ? 'It is' : `All ${count} are`} found dead in time although every send succeeds`);
  const flowed = stage.expects('Meanwhile the answer goes on for another tab');
  const back = stage.expects('When the process goes on, nothing is missing');
  const before = await figuresOf(admin);

  const thread = `${order.id}-suspended`;
  const asleep = Browser.start(crew);
  const sleepers = await openTabs(stage, asleep, count, thread, 'suspended tab');
  const [watcher] = await openTabs(stage, Browser.start(crew), 1, thread, 'watching tab');
  if (watcher === undefined) return;
  const id = await askUntilItFlows(stage, watcher, [...sleepers, watcher], longQuestion(boundMs / 1_000 + LONGER_S));
  const charactersThen = watcher.told.characters;
  asleep.pages.signal('SIGSTOP');
  const since = performance.now();
  stage.step('process stopped in the middle of an answer; its sockets stay open and take what is sent');

  const { all, seen } = await watchDead(stage, { managers: new Set(sleepers.map(({ manager }) => manager)), before, since, boundMs });
  found(all, seen);
  const more = watcher.told.characters - charactersThen;
  flowed(more > 0 && watcher.returns.length === 1, `${more} more characters on the same connection`);

  asleep.pages.signal('SIGCONT');
  stage.step('process goes on');
  const run = await stage.needs('the message to be accepted', SLACK_MS, () => watcher.runOf(id));
  const tabs = [watcher, ...sleepers];
  await stage.sees(ANSWER_WITHIN_MS, () => (tabs.every(({ told }) => told.answers[run] !== undefined) ? true : null));
  const whole = wholenessOfAll(tabs, run);
  back(whole.ok, whole.seen);
  if (whole.ok) stage.step(`answer complete: ${whole.seen}`);
  await compare(stage, async () => await usualFacts(stage, before, tabs, tabs.length));
  await reportEvictions(stage, before);
}
