import type { Browser, Tab } from './browser.ts';
import type { ToldAnswer } from './peers/tab-messages.ts';
import type { Stage } from './stage.ts';

/** The built-in agent writes about 30 words a second; a model behind an endpoint has a pace of its own. */
const WORDS_PER_S = 30;
export const SHORT_QUESTION = 'What is 15% of 80?';
/** A question whose answer takes about so long. */
export const longQuestion = (seconds: number): string => `Count from 1 to ${Math.ceil(seconds * WORDS_PER_S)}, please.`;
/** How long an answer may take: a model of somebody else's may be slow. */
export const ANSWER_WITHIN_MS = 120_000;
const OPEN_WITHIN_MS = 30_000;

/** Opens tabs that follow a thread, and waits until they have their seats. */
export async function openTabs(
  stage: Stage,
  browser: Browser,
  count: number,
  thread: string,
  label: string,
  more: { readonly url?: string; readonly follows?: false } = {},
): Promise<readonly Tab[]> {
  const opening = { url: stage.wsUrl, token: stage.token, thread, ...more };
  const tabs = Array.from({ length: count }, (_, i) => browser.open({ ...opening, label: `${label} ${i + 1}` }));
  await stage.needs(`${count} tabs to be seated`, OPEN_WITHIN_MS, () => (tabs.every(({ isLive }) => isLive) ? true : null));
  stage.step(`${count} ${count === 1 ? 'tab' : 'tabs'} open`);
  return tabs;
}

/** Asks in a tab, and waits until an answer has begun to come to all of them. Gives the id of the message. */
export async function askUntilItFlows(stage: Stage, asker: Tab, all: readonly Tab[], text: string): Promise<string> {
  const id = `${stage.order.id}-ask`;
  const had = all.map(({ told }) => told.characters);
  asker.tell({ ask: { id, text } });
  await stage.needs('an answer to begin', ANSWER_WITHIN_MS, () => (all.every(({ told }, i) => told.characters > (had[i] ?? 0)) ? true : null));
  return id;
}

/** How a tab's answer stands: whether it is whole, and the same text as `like`. */
export function wholeness({ told }: Tab, answer: ToldAnswer | null, like: ToldAnswer | null = answer): { readonly ok: boolean; readonly seen: string } {
  const { faults, gaps, events, offset } = told;
  if (answer === null) return { ok: false, seen: `no end of an answer came; ${events} events to offset ${offset}` };
  const wrong = [...faults, ...(gaps > 0 ? [`${gaps} gaps`] : []), ...(like?.sum === answer.sum ? [] : ['another tab was told another text'])];
  const ok = answer.status === 'completed' && answer.characters > 0 && wrong.length === 0;
  if (!ok) return { ok, seen: `${answer.status}, ${answer.characters} characters; ${wrong.join('; ')}` };
  return { ok, seen: `${answer.characters} characters to offset ${offset}: 0 lost, 0 doubled, 0 reordered` };
}

/** The same for many tabs that follow one thread: the first that is not whole, or all. */
export function wholenessOfAll(tabs: readonly Tab[], run: string): { readonly ok: boolean; readonly seen: string } {
  const like = tabs[0]?.told.answers[run] ?? null;
  const each = tabs.map((tab) => wholeness(tab, tab.told.answers[run] ?? null, like));
  const broken = each.filter(({ ok }) => !ok);
  const first = broken[0] ?? each[0];
  return { ok: broken.length === 0 && each.length > 0, seen: `${tabs.length - broken.length} of ${tabs.length} tabs; ${first?.seen ?? ''}` };
}
