import { Browser } from '../browser.ts';
import { compare, figuresOf, usualFacts } from '../figures.ts';
import { OwnGateway } from '../own-gateway.ts';
import { storedAnswer } from '../snapshot.ts';
import type { Stage } from '../stage.ts';
import { ANSWER_WITHIN_MS, askUntilItFlows, longQuestion, openTabs, SHORT_QUESTION, wholenessOfAll } from '../talk.ts';

const ANSWER_S = 20;
const ENOUGH_CHARACTERS = 100;
/** Redials come at most 15 seconds apart. */
const BACK_WITHIN_MS = 30_000;

/** A gateway is killed in the middle of an answer and started again. */
export async function crash(stage: Stage): Promise<void> {
  const { order, crew } = stage;
  const back = stage.expects('Every tab is back by itself');
  const exact = stage.expects('What was told of the interrupted answer is what the store has of it, once, with a visible end');
  const next = stage.expects('The next question gets a whole answer');
  const house = stage.admin;
  const isShared = order.sharedStore !== null;
  const gateway = new OwnGateway(stage);
  stage.moveTo(await gateway.start(OwnGateway.sharing(order, 'first')), await gateway.token(order.user));
  stage.step(isShared ? 'a second node on the shared store' : 'a gateway of its own, with its own store file');

  const thread = `${order.id}-crash`;
  const tabs = await openTabs(stage, Browser.start(crew), order.count, thread, 'tab');
  const first = tabs[0] as (typeof tabs)[number];
  const asked = await askUntilItFlows(stage, first, tabs, longQuestion(ANSWER_S));
  await stage.needs('some of the answer', ANSWER_WITHIN_MS, () => (tabs.every(({ told }) => told.characters > ENOUGH_CHARACTERS) ? true : null));
  const run = await stage.needs('the message to be accepted', BACK_WITHIN_MS, () => first.runOf(asked));
  gateway.member?.signal('SIGKILL');
  await gateway.member?.ended;
  stage.step('SIGKILL in the middle of the answer');
  const seatedThen = tabs.map(({ returns }) => returns.length);
  await stage.needs('the tabs to notice', BACK_WITHIN_MS, () => (tabs.every(({ isLive }) => !isLive) ? true : null));

  // Counters begin with the process: what came before it is not in them. Those of the other nodes go on.
  const none = { conservative: 0, moderate: 0, aggressive: 0, force: 0 };
  const before = isShared ? await figuresOf(house) : null;
  await gateway.start(OwnGateway.sharing(order, 'next'));
  stage.step(isShared ? 'another node has taken its address' : 'started again on the same file');
  await stage.sees(BACK_WITHIN_MS, () => (tabs.every(({ isLive }) => isLive) ? true : null));
  const live = tabs.filter(({ isLive }) => isLive).length;
  back(live === tabs.length, `${live} of ${tabs.length}`);
  await stage.sees(BACK_WITHIN_MS, () => (tabs.every(({ told }) => told.answers[run] !== undefined) ? true : null));
  const stored = await storedAnswer(stage, thread, run);
  const same = tabs.filter(
    ({ told }) => told.answers[run]?.sum === stored?.sum && told.answers[run]?.status === 'failed' && told.faults.length + told.gaps === 0,
  );
  const seen = `${same.length} of ${tabs.length} tabs have the ${stored?.characters ?? 0} characters that the store has, and its end`;
  exact(stored !== null && same.length === tabs.length, `${seen}: 0 lost, 0 doubled, 0 reordered`);
  stage.step(seen);

  const again = `${order.id}-again`;
  first.tell({ ask: { id: again, text: SHORT_QUESTION } });
  const second = await stage.needs('the next message to be accepted', BACK_WITHIN_MS, () => first.runOf(again));
  await stage.sees(ANSWER_WITHIN_MS, () => (tabs.every(({ told }) => told.answers[second] !== undefined) ? true : null));
  const whole = wholenessOfAll(tabs, second);
  next(whole.ok, whole.seen);
  stage.step(`answer complete: ${whole.seen}`);

  const began = before ?? { status: { ...(await figuresOf(stage.admin)).status, freed: none }, lastRun: null };
  const since = tabs.map(({ returns }, i) => ({ returns: returns.slice(seatedThen[i]) }));
  await compare(stage, async () => await usualFacts(stage, began, since, tabs.length));
}
