import { setTimeout as delay } from 'node:timers/promises';
import { Browser, type Tab } from '../browser.ts';
import { compare, figuresOf, usualFacts } from '../figures.ts';
import { OwnGateway } from '../own-gateway.ts';
import type { LockNews, LockOrder } from '../peers/store-lock.ts';
import type { PauseOrder } from '../peers/store-pause.ts';
import { storedAnswer } from '../snapshot.ts';
import type { Stage } from '../stage.ts';
import { ANSWER_WITHIN_MS, askUntilItFlows, longQuestion, openTabs, wholeness } from '../talk.ts';
import { SLACK_MS } from '../watch-dead.ts';

const HOLD_MS = 3_000;
const ANSWER_S = 10;
/** A person waits no longer than this for a seat while there is room, whatever the store does. */
const SEATED_WITHIN_MS = 2_000;

/** A second process holds the write lock of the store, or lets a shared one answer nobody. */
export async function storeStall(stage: Stage): Promise<void> {
  const { order, crew } = stage;
  const { count } = order;
  const seated = stage.expects(`${count} logins meanwhile are seated`);
  const whole = stage.expects('The answer that was under way is whole, and is what the store has');
  const what = await storeOf(stage);
  const before = await figuresOf(stage.admin);

  const thread = `${order.id}-stall`;
  const browser = Browser.start(crew);
  const [reader] = await openTabs(stage, browser, 1, thread, 'reading tab');
  if (reader === undefined) return;
  const asked = await askUntilItFlows(stage, reader, [reader], longQuestion(ANSWER_S));

  let releasedAfterMs: number | null = null;
  let isHeld = false;
  const lock = crew.peer('file' in what ? 'store-lock' : 'store-pause');
  lock.hear((news: LockNews) => {
    if ('held' in news) isHeld = true;
    else releasedAfterMs = news.releasedAfterMs;
  });
  lock.tell({ ...what });
  await stage.needs('the store to stand still', SLACK_MS, () => (isHeld ? true : null));
  stage.step('file' in what ? 'write lock of the store taken by another process' : 'the shared store answers nobody');
  const logins: Tab[] = [];
  for (let i = 0; i < count; i++) {
    logins.push(browser.open({ url: stage.wsUrl, token: stage.token, thread: `${order.id}-login-${i}`, label: `login ${i + 1}` }));
    await delay(HOLD_MS / (count + 1));
  }
  const heldMs = await stage.needs('the store to go on', HOLD_MS + SLACK_MS, () => releasedAfterMs);
  stage.step(`the store goes on after ${(heldMs / 1_000).toFixed(1)} s`);
  await stage.sees(SLACK_MS, () => (logins.every(({ seatedAfterMs }) => seatedAfterMs !== null) ? true : null));
  const took = logins.map(({ seatedAfterMs }) => seatedAfterMs ?? Number.POSITIVE_INFINITY);
  const quick = took.filter((ms) => ms <= SEATED_WITHIN_MS).length;
  seated(quick === count, `${quick} of ${count}, the slowest after ${Math.round(Math.max(...took))} ms; allowed ${SEATED_WITHIN_MS} ms`);

  const answer = await stage.sees(ANSWER_WITHIN_MS, () => reader.answerTo(asked));
  const stored = await storedAnswer(stage, thread, reader.runOf(asked) ?? '');
  const { ok, seen } = wholeness(reader, answer);
  whole(ok && stored?.sum === answer?.sum, ok && stored?.sum !== answer?.sum ? 'the store has another text' : seen);
  if (ok) stage.step(`answer complete: ${seen}`);
  await compare(stage, async () => await usualFacts(stage, before, [reader, ...logins], count + 1));
}

/** What stands still: the store that gateways share; else this gateway's file, or that of a gateway of its own where this one keeps nothing
 *  in a file. Where nobody can make tokens for this gateway, it is a gateway of its own too. */
async function storeOf(stage: Stage): Promise<LockOrder | PauseOrder> {
  const { order } = stage;
  const { sharedStore, storeFile } = order;
  if (order.token !== '' && sharedStore !== null) return { store: sharedStore, holdMs: HOLD_MS };
  if (order.token !== '' && storeFile !== null) return { file: storeFile, holdMs: HOLD_MS };
  const gateway = new OwnGateway(stage);
  stage.moveTo(await gateway.start(OwnGateway.sharing(order, 'own')), await gateway.token(order.user));
  stage.step(sharedStore === null ? 'a gateway of its own, with its own store file' : 'a second node on the shared store');
  return sharedStore === null ? { file: gateway.storeFile, holdMs: HOLD_MS } : { store: sharedStore, holdMs: HOLD_MS };
}
