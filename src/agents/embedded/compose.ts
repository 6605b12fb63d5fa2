/** Writes the demo agent's answers as markdown, from what its tools returned. Pure. */

import type { Calculation } from '../tools/calculator.ts';
import type { Passage } from '../tools/search.ts';
import type { SessionLine } from '../tools/sessions.ts';
import type { ClockReading } from '../tools/world-clock.ts';
import { MAX_COUNT, type Plan } from './plan.ts';

/** A tool call that was made, with what came of it. */
export type Outcome =
  /** In the order in which the answer cites them; none that an earlier search of this run has found. */
  | { readonly tool: 'search'; readonly query: string; readonly results: readonly Passage[] }
  | { readonly tool: 'calculator'; readonly results: Calculation }
  | { readonly tool: 'clock'; readonly place: string | null; readonly results: ClockReading }
  | { readonly tool: 'sessions'; readonly results: readonly SessionLine[] }
  | { readonly tool: 'search' | 'calculator' | 'clock' | 'sessions'; readonly failed: string };

export const AGENT_NAME = 'Spillway demo agent';

export function composeAnswer(plan: Plan, outcomes: readonly Outcome[]): string {
  switch (plan.answer) {
    case 'introduction':
      return introduction(passagesIn(outcomes));
    case 'count':
      return counting(plan.from ?? 1, plan.to ?? 1);
    case 'long':
      return longAnswer(passagesIn(outcomes), plan.words ?? 0);
    case 'found':
      return outcomes.map(paragraphsFor).join('\n\n');
  }
}

function paragraphsFor(outcome: Outcome): string {
  if ('failed' in outcome) return outcome.failed;
  switch (outcome.tool) {
    case 'search':
      return outcome.results.length === 0 ? NOTHING : cite(outcome.results);
    case 'calculator':
      return `**${readable(outcome.results.expression)} = ${readable(String(outcome.results.value))}**`;
    case 'clock':
      return timeIn(outcome.place, outcome.results);
    case 'sessions':
      return sessionTable(outcome.results);
  }
}

const NOTHING =
  'The handbook has nothing about this, and I do not make things up: I am the built-in demo agent, not a language model.\n\n' +
  'I can answer questions about Spillway ("What happens when I reload in the middle of an answer?"), calculate ("15% of 80"), tell the time ("What time is it in Tokyo?") and list your sessions. ' +
  'For answers to everything else, give the gateway a model with `--agent openai-compatible`.';

function introduction(passages: readonly Passage[]): string {
  const opening = `Hello! I am the **${AGENT_NAME}**: built in, offline, and not a language model. I follow plain rules, look things up in the handbook and use a few real tools.`;
  return passages.length === 0 ? opening : `${opening}\n\n${cite(passages)}`;
}

/** The passages, each followed by its number; then the list of sources. */
function cite(passages: readonly Passage[]): string {
  const body = passages.map((passage, index) => {
    const headed = passages.length > 1 && passage.heading !== '' ? `**${passage.heading}**\n\n` : '';
    return `${headed}${withMark(passage.text, `[${index + 1}]`)}`;
  });
  return `${body.join('\n\n')}\n\n${sourcesOf(passages)}`;
}

/** A mark behind a code block or a table would break it. */
const withMark = (text: string, mark: string): string => (/(?:```|\|)$/.test(text) ? `${text}\n\n${mark}` : `${text} ${mark}`);

const sourcesOf = (passages: readonly Passage[]): string =>
  [
    '**Sources**',
    '',
    ...passages.map((passage, index) => `${index + 1}. Handbook: ${passage.title}${passage.heading === '' ? '' : `, ${passage.heading}`}`),
  ].join('\n');

/** Passages with their headings until `words` are reached. */
function longAnswer(passages: readonly Passage[], words: number): string {
  const used: Passage[] = [];
  const parts: string[] = [];
  let written = 0;
  for (const passage of passages) {
    if (written >= words) break;
    used.push(passage);
    parts.push(`### ${passage.title}${passage.heading === '' ? '' : `: ${passage.heading}`}\n\n${withMark(passage.text, `[${used.length}]`)}`);
    written += passage.text.split(/\s+/).length;
  }
  if (written < words) parts.push(`That is the whole handbook: about ${written} words.`);
  return `${parts.join('\n\n')}\n\n${sourcesOf(used)}`;
}

function counting(from: number, wanted: number): string {
  const step = wanted < from ? -1 : 1;
  const to = Math.abs(wanted - from) < MAX_COUNT ? wanted : from + step * (MAX_COUNT - 1);
  const numbers = Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => from + step * index);
  const rows: string[] = [];
  for (let at = 0; at < numbers.length; at += 10) rows.push(numbers.slice(at, at + 10).join(', '));
  const ending = to === wanted ? 'Done.' : `I stop here: ${readable(String(MAX_COUNT))} numbers are the most that I count in one answer.`;
  return `${rows.join(',\n')}.\n\n${ending}`;
}

function timeIn(place: string | null, reading: ClockReading): string {
  const shown = `**${reading.time}** on ${reading.date} (${reading.zone}${reading.offset === reading.zone ? '' : `, ${reading.offset}`})`;
  return place === null
    ? `It is ${shown} by this server’s clock. I do not know your time zone; ask for the time in a city to see it there.`
    : `In ${capitalised(place)} it is ${shown}.`;
}

const capitalised = (place: string): string => place.replace(/(^|[\s-])\p{L}/gu, (letter) => letter.toUpperCase());

function sessionTable(sessions: readonly SessionLine[]): string {
  if (sessions.length === 0) return 'You have no open session at this moment. I go on answering without one; you will read this when you come back.';
  const rows = sessions.map(
    (session) =>
      `| ${cell(session.label)}${session.current ? ' (this one)' : ''} | ${session.state}${session.answering ? ', answering' : ''} | ${ago(session.heardSecondsAgo)} | ${session.seat} |`,
  );
  const head = `You have **${sessions.length} ${sessions.length === 1 ? 'session' : 'sessions'}**. Each one holds a seat; any of them can be closed without losing a conversation.`;
  return [head, '', '| session | state | last sign of life | seat |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** A label is what a client says of itself: it may not end its cell or bring markup. */
const cell = (text: string): string => text.replace(/[|<>`[\]*_\\\r\n]/g, ' ').trim() || 'unnamed';

const ago = (seconds: number): string =>
  seconds < 5 ? 'just now' : seconds < 90 ? `${seconds} s ago` : seconds < 5400 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;

/** Groups digits by thousands and spaces operators. */
function readable(text: string): string {
  return text
    .replace(/\s*([*/^%])\s*/g, (_, operator: string) => (operator === '^' ? '^' : ` ${operator === '*' ? '×' : operator === '/' ? '÷' : '%'} `))
    .replace(/(?<=[\d)I!])\s*([-+])\s*/g, ' $1 ')
    .replace(/(?<![\d.])\d{4,15}(?![\de])/g, (digits) => Number(digits).toLocaleString('en-US'));
}

/** What was found so far, in the order in which it is numbered. */
export const passagesIn = (outcomes: readonly Outcome[]): readonly Passage[] =>
  outcomes.flatMap((outcome) => ('results' in outcome && outcome.tool === 'search' ? outcome.results : []));
