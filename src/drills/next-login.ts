import { Browser, type Tab } from './browser.ts';
import type { Stage } from './stage.ts';
import { ANSWER_WITHIN_MS, SHORT_QUESTION, wholeness } from './talk.ts';
import { SLACK_MS } from './watch-dead.ts';

/** Somebody comes next, from a process of their own, and asks. `nth`: `login 21`. Puts up its two expectations at once; what it gives
 *  lets the login happen. */
export function nextLogin(stage: Stage, nth: string): () => Promise<Tab> {
  const { order, crew } = stage;
  const seated = stage.expects(`${capital(nth)} is seated`);
  const whole = stage.expects('It gets a whole answer from the agent');
  return async () => {
    const id = `${order.id}-next`;
    const tab = Browser.start(crew).open({ url: stage.wsUrl, token: stage.token, thread: id, label: nth });
    await stage.sees(order.options.queue.waitMs + SLACK_MS, () => (tab.isLive ? true : null));
    const tookMs = Math.round(tab.seatedAfterMs ?? 0);
    if (tab.isLive) stage.step(`${nth} seated after ${tookMs} ms`);
    seated(tab.isLive, tab.isLive ? `seat "${tab.seat}", ${tookMs} ms from the dial` : `it is ${tab.state.name}`);
    tab.tell({ ask: { id, text: SHORT_QUESTION } });
    const answer = await stage.sees(ANSWER_WITHIN_MS, () => tab.answerTo(id));
    const { ok, seen } = wholeness(tab, answer);
    whole(ok, seen);
    if (ok) stage.step(`answer complete: ${seen}`);
    return tab;
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
