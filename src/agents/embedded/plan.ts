/** Decides, by rules that anybody can read, what the demo agent does with a message. Pure. */

import { findExpression } from './arithmetic.ts';

export type ToolCall =
  | { readonly tool: 'search'; readonly query: string; readonly limit: number }
  | { readonly tool: 'calculator'; readonly expression: string }
  /** `place` as the person wrote it; null: none was named. */
  | { readonly tool: 'clock'; readonly place: string | null }
  | { readonly tool: 'sessions' };

export interface Plan {
  /** What kind of answer is written from the tools' results. */
  readonly answer: 'found' | 'introduction' | 'count' | 'long';
  /** At least one. */
  readonly calls: readonly ToolCall[];
  /** Why these tools, told to the person as the agent's thinking. */
  readonly because: string;
  /** Of `count`. */
  readonly from?: number;
  readonly to?: number;
  /** Of `long`: about how many words. */
  readonly words?: number;
}

/** Most numbers that are counted in one answer: about five minutes at the usual pace. */
export const MAX_COUNT = 10_000;
export const MAX_WORDS = 5_000;
const LONG_WORDS = 700;

const COUNT = /\bcount\b(?:\s+(?:slowly|down|up|for me))*(?:\s+from\s+(?<from>\d[\d,]{0,9}))?\s+(?:up |down )?(?:to|till|until)\s+(?<to>\d[\d,]{0,9})/;
const LONG = /\b(?:long|detailed|lengthy|full|essay|article|story|report|everything|\d{2,5}[- ]words?)\b/;
const WRITE = /\b(?:write|give|tell|make|compose|answer|explain|produce|show)\b/;
const LENGTH = /\b(\d{2,5})[- ]words?\b/;
const CLOCK =
  /\b(?:what|which|current|tell|know|whats)\b.*\b(?:time|date|day)\b|\btime (?:is it|now)\b|\b(?:time|date)\b.{0,12}\b(?:in|at|for)\b|\b(?:what|which) (?:day|date) is\b|\btoday'?s date\b|^(?:time|date|clock)\??$/;
/** Times that are not of the clock. */
const NOT_CLOCK =
  /\btime-?outs?\b|\btimes\b|\b(?:what|how much|which) time does\b|\b(?:one|same|first|last|every|each|next|long) time\b|\bhow (?:long|much time)\b|\bat a time\b|\btime limits?\b/;
const PLACE = /\b(?:in|at|for)\s+(?:the\s+)?(?<place>\p{L}[\p{L} .'/_-]{1,40}?)(?=\s+(?:now|right now|today|please|and|at the moment)\b|[?!.,;]|$)/u;
const MY_SESSIONS =
  /\b(?:my|mine|our)\b.*\b(?:sessions?|tabs?|devices?|seats?|connections?|windows?)\b|\b(?:sessions?|tabs?|devices?|seats?|connections?) (?:do|have) i\b|\bwhere am i (?:signed|logged) in\b|^(?:list|show)(?: all)? (?:sessions|tabs|devices)\b|\b(?:which|what|how many) (?:sessions|tabs|devices) are (?:open|connected|active|there)\b|^sessions\??$/;
/** Questions about how sessions work, though they say "my". */
const ABOUT_SESSIONS = /^(?:why|how (?:do|does|is|are|come)|what (?:happens|if)|can|could|should|will|would|is it|does|when)\b/;
const GREETING =
  /^(?:hi|hello|hey|good (?:morning|afternoon|evening)|moin|hallo|thanks?|thank you|test|help|\?)(?:\s+(?:there|you|agent|spillway|so much|again))*[!.?\s]*$/;
const WHO =
  /\b(?:who|what) (?:are|r) (?:you|u)\b|\byour name\b|\bare you (?:a |an |the )?(?:real|human|ai|bot|robot|llm|model|chatgpt|gpt|claude|person|demo|language)\b|\bwhat can (?:you|i) (?:do|ask)\b|\bwhat do you (?:do|know)\b|\bintroduce yourself\b/;
const MORE =
  /^(?:(?:tell|show|give) me )?(?:(?:some )?more(?: details?)?|continue|go on|and then|keep going|further)(?: please| about (?:it|that|this))?[.?!\s]*$/;

/** Characters of a message that the rules read. A longer one says what it wants at its beginning, and the patterns stay quick. */
const READ = 2_000;

/** Plans the answer to `message`. `earlier` holds the person's earlier messages, the newest last. */
export function planAnswer(message: string, earlier: readonly string[] = []): Plan {
  const text = message.slice(0, READ);
  const plain = text.trim().toLowerCase().replaceAll('’', "'").replace(/\s+/g, ' ');

  const count = COUNT.exec(plain)?.groups;
  if (count?.to !== undefined) return planCount(plain, count.from, count.to);
  if (GREETING.test(plain) || WHO.test(plain)) {
    return {
      answer: 'introduction',
      calls: [search('built-in demo agent, what to try', 2)],
      because: 'The person wants to know who is here. I look up what the handbook says about me.',
    };
  }
  const length = LENGTH.exec(plain);
  if (length !== null || (LONG.test(plain) && WRITE.test(plain))) return planLong(text, length === null ? LONG_WORDS : Number(length[1]));

  const calls: ToolCall[] = [];
  const reasons: string[] = [];
  if (MY_SESSIONS.test(plain) && !ABOUT_SESSIONS.test(plain)) {
    calls.push({ tool: 'sessions' });
    reasons.push('This is about the person’s own sessions, so I read the list.');
  }
  if (CLOCK.test(plain) && !NOT_CLOCK.test(plain)) {
    calls.push({ tool: 'clock', place: PLACE.exec(plain)?.groups?.place?.trim() ?? null });
    reasons.push('This asks for the time or the date, so I read the clock.');
  }
  const expression = findExpression(text);
  if (expression !== null) {
    calls.push({ tool: 'calculator', expression });
    reasons.push('This holds arithmetic, so I calculate rather than guess.');
  }
  if (calls.length > 0) return { answer: 'found', calls, because: reasons.join(' ') };

  const before = earlier.findLast((one) => !MORE.test(one.trim().toLowerCase()));
  if (MORE.test(plain) && before !== undefined) {
    return { answer: 'found', calls: [search(before, 8)], because: 'The person wants more about the question before, so I search for it again and read on.' };
  }
  return { answer: 'found', calls: [search(text, 3)], because: 'This is a question, so I search the handbook for it.' };
}

function planCount(plain: string, fromText: string | undefined, toText: string): Plan {
  const number = (digits: string) => Number(digits.replaceAll(',', ''));
  const to = number(toText);
  const from = fromText !== undefined ? number(fromText) : /\bdown\b/.test(plain) ? 10 : 1;
  return {
    answer: 'count',
    from,
    to,
    calls: [{ tool: 'calculator', expression: `abs(${to} - ${from}) + 1` }],
    because: 'I am asked to count. First I calculate how many numbers that will be.',
  };
}

function planLong(text: string, words: number): Plan {
  const topic = text
    .replace(
      /\b(?:please|write|give|tell|make|compose|produce|show|me|us|an?|the|very|really|long|detailed|lengthy|full|essay|article|story|report|answer|text|\d{2,5}[- ]words?|words?|everything|about|on|of|with|some)\b/gi,
      ' ',
    )
    .trim();
  return {
    answer: 'long',
    words: Math.min(words, MAX_WORDS),
    // What the handbook has about the topic is rarely long; its other pages fill up what is missing.
    calls: topic === '' ? [search('*', 200)] : [search(topic, 20), search('*', 200)],
    because: 'A long answer is wanted, so I collect what the handbook has about it, and its other pages for the rest.',
  };
}

const search = (query: string, limit: number): ToolCall => ({ tool: 'search', query: query.trim().slice(0, 300), limit });
