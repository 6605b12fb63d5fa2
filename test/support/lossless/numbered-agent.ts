/** The agent of the lossless checker: for a whole run it says numbered events, each written down before it is handed over. */

import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Agent, AgentRun } from '../../../src/ports/agent.ts';
import type { AgentYield } from '../../../src/protocol/agent-events.ts';
import { nowMs } from '../lab/time.ts';
import { digestOf, markOf, numberedParts } from './numbered.ts';
import { readLines } from './read-lines.ts';
import type { Attempted } from './records.ts';

/** What a person's message asks of it, as JSON in the message's text: `asking({ count: 300, perSecond: 50 })`. */
export interface Asked {
  /** How many numbered events; left out: until the run is cancelled. */
  readonly count?: number;
  /** 0 or left out: as fast as they are taken. */
  readonly perSecond?: number;
  /** Of each event's text, about. Default 60. */
  readonly bytes?: number;
  /** Every so-manieth event is one of a tool, which cannot be merged; 0: none. Default 10. */
  readonly plainEvery?: number;
  /** Default 1. */
  readonly seed?: number;
  /** What comes behind the last of them. Default `completes`. `hangs`: nothing, ever, not even after a cancel. `ends`: it returns without
   *  a terminal event. `ends-twice`: two terminal events and one event more. */
  readonly ending?: 'completes' | 'throws' | 'hangs' | 'ends' | 'ends-twice';
}

/** The text of a message that asks for it. */
export const asking = (asked: Asked): string => JSON.stringify(asked);

export interface NumberedAgentOptions {
  /** File of `Attempted` lines. Numbers go on behind those that stand in it, also in a new process. */
  readonly file?: string;
  /** Told of each before it is handed over; if it gives a promise, the event waits for that. */
  readonly attempted?: (attempted: Attempted) => unknown;
}

export function numberedAgent({ file, attempted }: NumberedAgentOptions = {}): Agent {
  const last = new Map<string, number>();
  const keyOf = (user: string, thread: string): string => `${user}\n${thread}`;
  if (file !== undefined && existsSync(file))
    for (const line of readLines<Attempted>(file)) last.set(keyOf(line.user, line.thread), Math.max(line.number, last.get(keyOf(line.user, line.thread)) ?? 0));

  return {
    codec: 'agent-events',
    name: 'numbered',
    async *run({ userId: user, threadId: thread, runId: run, messages, signal }: AgentRun): AsyncGenerator<AgentYield> {
      const { count = Number.POSITIVE_INFINITY, perSecond = 0, bytes = 60, plainEvery = 10, seed = 1, ending = 'completes' } = askedIn(messages);
      const key = keyOf(user, thread);
      const told = numberedParts(messages).reduce((most, { number }) => Math.max(most, number), 0);
      const first = Math.max(told, last.get(key) ?? 0) + 1;
      yield { type: 'agent_started', agent_name: 'numbered' };
      const startedAt = nowMs();
      for (let i = 0; i < count && !signal.aborted; i++) {
        const number = first + i;
        const mark = markOf({ user, thread, number, bytes, seed });
        const line: Attempted = { user, thread, run, number, digest: digestOf(mark) };
        last.set(key, number);
        await attempted?.(line);
        if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
        yield spoken(mark, number, plainEvery);
        // The pace of the clock, not of the timers, which are late; never more than was asked for at once.
        if (perSecond > 0) await delay(Math.max(1, startedAt + ((i + 1) * 1_000) / perSecond - nowMs()), undefined, { signal }).catch(() => {});
        else if (i % 8 === 7) await nextTurn();
      }
      if (ending === 'throws') throw new Error('The numbered agent was asked to throw.');
      if (ending === 'hangs') await new Promise(() => {});
      if (ending === 'ends') return;
      yield { type: 'agent_completed', status: 'completed' };
      if (ending !== 'ends-twice') return;
      yield { type: 'agent_error', error_message: 'A second end.', recoverable: false };
      yield { type: 'text_delta', text: 'behind the end' };
    },
  };
}

/** A tool's call and, as the next plain event, its result; else text. */
function spoken(mark: string, number: number, plainEvery: number): AgentYield {
  if (plainEvery === 0 || number % plainEvery !== 0) return { type: 'text_delta', text: mark };
  const turn = number / plainEvery;
  const tool = { tool_name: 'count', execution_id: `x${Math.ceil(turn / 2)}` };
  return turn % 2 === 1 ? { type: 'tool_executing', ...tool, parameters: { mark } } : { type: 'tool_completed', ...tool, success: true, results: { mark } };
}

function askedIn(messages: AgentRun['messages']): Asked {
  const text = messages
    .at(-1)
    ?.parts.map((part) => (part.type === 'text' ? part.text : ''))
    .join('');
  return JSON.parse(text || '{}') as Asked;
}
