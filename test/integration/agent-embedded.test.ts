import { describe, expect, it } from 'vitest';
import { embeddedAgent } from '../../src/agents/embedded/embedded-agent.ts';
import { readHandbook } from '../../src/agents/tools/handbook.ts';
import { handbookSearch } from '../../src/agents/tools/search.ts';
import { OPTIONS } from '../../src/core/options.ts';
import type { AgentRun } from '../../src/ports/agent.ts';
import { type Clock, systemClock } from '../../src/ports/clock.ts';
import { systemRandom } from '../../src/ports/random.ts';
import type { AgentYield } from '../../src/protocol/agent-events.ts';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import type { SessionInfo } from '../../src/protocol/messages.ts';
import { eventsOf, runOf, says } from '../support/agent-run.ts';

/** A clock on which time passes as fast as anybody waits for it. */
function fastClock(): Clock {
  let now = 0;
  return {
    mono: () => now,
    wall: () => Date.UTC(2026, 10, 21, 14, 0) + now,
    soon: (callback) => queueMicrotask(callback),
    after(delayMs, callback) {
      let cancelled = false;
      queueMicrotask(() => {
        if (cancelled) return;
        now += delayMs;
        callback();
      });
      return () => {
        cancelled = true;
      };
    },
  };
}

const asks = (texts: string | readonly string[], more: Partial<AgentRun> = {}) => runOf([texts].flat().map(says), more);
const ask = (texts: string | readonly string[], more: Partial<AgentRun> = {}, clock = fastClock()) => eventsOf(embeddedAgent({ clock }), asks(texts, more));
const answerOf = (all: readonly AgentYield[]): string => (all.at(-1) as { final_response: string }).final_response;

describe('the demo agent answers', () => {
  it.each([
    'Why is the sky blue?',
    'Hello',
    '2+2',
    'What time is it?',
    'show my sessions',
    'count to 30',
    'write a long answer',
    'What is the capital of France?',
    '',
    'time in Narnia',
    '1/0',
  ])('%j: starts, thinks, uses a tool, streams, ends; the pieces are the answer', async (text) => {
    const all = await ask(text);
    const types = all.map((event) => event.type);
    expect(types[0]).toBe('agent_started');
    expect(types[1]).toBe('agent_thinking');
    expect(types.filter((type) => type === 'tool_executing').length).toBe(types.filter((type) => type === 'tool_completed').length);
    expect(types).toContain('tool_completed');
    expect(types.slice(0, -1)).not.toContain('agent_completed');
    const streamed = all.map((event) => (event.type === 'text_delta' ? event.text : '')).join('');
    expect(streamed).toBe(answerOf(all));
    expect(streamed.length).toBeGreaterThan(5);
  });

  it('a question with citations and their sources', async () => {
    const answer = answerOf(await ask('Why is the sky blue?'));
    expect(answer).toContain('scatters blue light much more strongly');
    expect(answer).toContain('[1]');
    expect(answer).toMatch(/\*\*Sources\*\*\n\n1\. Handbook: Why the sky is blue/);
  });

  it.each(['how many tabs may I open?', 'write a long answer about sessions'])(
    '%j: what the search shows has the number that the answer cites',
    async (text) => {
      const all = await ask(text);
      const sources = new Map([...answerOf(all).matchAll(/^(\d+)\. Handbook: (.+)$/gm)].map(([, number, name]) => [Number(number), name]));
      const passages = all.flatMap((event) =>
        event.type === 'tool_completed' ? (event.results as { passages: { number: number; title: string; heading: string }[] }).passages : [],
      );
      const cited = passages.filter(({ number }) => number <= sources.size);
      expect(cited.length).toBeGreaterThan(2);
      for (const { number, title, heading } of cited) expect(sources.get(number)).toBe(heading === '' ? title : `${title}, ${heading}`);
    },
  );

  it('who it is, plainly', async () => {
    const all = await ask('Are you a real AI?');
    expect(all[0]).toMatchObject({ agent_name: 'Spillway demo agent' });
    expect(answerOf(all)).toContain('not a language model');
  });

  it('that it has nothing, rather than something invented', async () => {
    expect(answerOf(await ask('Who won the world cup in 2018?'))).toContain('The handbook has nothing about this');
  });

  it('sums, times and long answers', async () => {
    expect(answerOf(await ask('what is 15% of 80'))).toContain('= 12');
    expect(answerOf(await ask('What time is it in Tokyo?'))).toMatch(/In Tokyo it is \*\*23:00\*\* on Saturday, 21 November 2026/);
    expect(answerOf(await ask('count to 200'))).toMatch(/^1, 2, 3.*199, 200\.\n\nDone\.$/s);
    expect(answerOf(await ask('write 3000 words about sessions')).split(/\s+/).length).toBeGreaterThan(3000);
  });

  it('more about the question before', async () => {
    const first = answerOf(await ask('How does eviction work?'));
    const more = answerOf(await ask(['How does eviction work?', 'tell me more']));
    expect(more).toContain('evict');
    expect(more.length).toBeGreaterThan(first.length);
  });

  it('with the person’s own sessions, labels made harmless', async () => {
    const session = {
      id: 'mgr_1',
      label: 'Phone | <b>x</b>',
      client: 'web',
      verdict: 'zombie',
      connected: true,
      visibility: 'hidden',
      openedAt: 0,
      lastEvidenceAt: Date.UTC(2026, 10, 21, 13, 50),
      threads: [],
      running: false,
      seat: 'soft',
      current: false,
    };
    const answer = answerOf(await ask('show my sessions', { sessions: () => Promise.resolve([session as unknown as SessionInfo]) }));
    expect(answer).toContain('**1 session**');
    expect(answer).toContain('not responding | 10 min ago');
    expect(answer).not.toContain('<b>');
  });

  it('that the sessions cannot be listed, when they cannot', async () => {
    const all = await ask('show my sessions', { sessions: () => Promise.reject(new Error('store at 10.0.0.1 is down')) });
    expect(all.find((event) => event.type === 'tool_completed')).toMatchObject({ success: false });
    expect(JSON.stringify(all)).not.toContain('10.0.0.1');
    expect(all.at(-1)).toMatchObject({ type: 'agent_completed' });
  });
});

describe('its pace', () => {
  it('is 30 words a second', async () => {
    const clock = fastClock();
    await ask('count to 300', {}, clock);
    expect(clock.mono()).toBeGreaterThan(10_000);
    expect(clock.mono()).toBeLessThan(12_500);
  });

  it('ends at once when the run is stopped, in the middle of a word or of a pause', async () => {
    const stop = new AbortController();
    const agent = embeddedAgent({ clock: systemClock, random: systemRandom, pace: { wordsPerSecond: 0.001 } });
    const types: string[] = [];
    for await (const event of agent.run(asks('count to 300', { signal: stop.signal }))) {
      types.push(event.type);
      if (types.filter((type) => type === 'agent_thinking').length === 2) setImmediate(() => stop.abort());
    }
    expect(types.at(-1)).toBe('agent_thinking');
  });
});

describe('the handbook', () => {
  const { search } = handbookSearch(readHandbook());
  it.each([
    ['Why is the sky blue?', 'why-is-the-sky-blue'],
    ['why are sunsets red', 'why-is-the-sky-blue'],
    ['What is Spillway?', 'what-is-spillway'],
    ['what is a session', 'sessions'],
    ['can two tabs show the same conversation?', 'sessions'],
    ['How many tabs can I open?', 'seats-and-soft-limits'],
    ['why not just raise the limit', 'seats-and-soft-limits'],
    ['what is a burst', 'queue-and-burst'],
    ['how long do I wait in the queue', 'queue-and-burst'],
    ['do you use pings to find dead connections?', 'evidence'],
    ['what is a zombie', 'evidence'],
    ['What happens when I reload in the middle of an answer?', 'resume-and-positions'],
    ['wifi went away', 'resume-and-positions'],
    ['what is an offset', 'resume-and-positions'],
    ['does it survive a crash of the server', 'log-before-send'],
    ['is anything lost when I am evicted?', 'eviction'],
    ['what does 4201 mean', 'close-codes'],
    ['what happens to my answer if I close the tab?', 'runs'],
    ['how do I cancel an answer', 'runs'],
    ['can I set options with environment variables', 'configuration'],
    ['How do I run it in production?', 'command-line'],
    ['how do I write my own agent', 'embedding'],
    ['how do I use React', 'client-sdk'],
    ['Where are my conversations stored?', 'stores'],
    ['how do I log in', 'signing-in'],
    ['can I use ollama', 'agents'],
    ['does the chat page have a dark mode', 'chat-page'],
    ['port already in use', 'troubleshooting'],
  ])('%s is answered by %s', (question, page) => expect(search(question, 3)[0]?.page).toBe(`${page}.md`));

  it.each([
    'What is the capital of France?',
    'how do I cook pasta',
    'what is the meaning of life',
    'tell me a joke',
    'should I buy bitcoin',
    'what is the weather tomorrow',
    'asdf qwer',
  ])('has nothing about: %s', (question) => expect(search(question, 3)).toEqual([]));

  const text = readHandbook()
    .map((section) => section.text)
    .join('\n');
  it('names only options that exist', () => {
    const named = [...text.matchAll(/`((?:limits|queue|log|agent|auth|health|cleanup|resume|run|shutdown|logging|pages)\.[A-Za-z.]+)`/g)].map(
      (match) => match[1] as string,
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((key) => !(key in OPTIONS))).toEqual([]);
  });
  it('names only close codes that exist, or the bounds of a range', () => {
    const known = new Set<number>(Object.values(CLOSE).map((code) => code.code));
    const named = [...text.matchAll(/\b4\d{3}\b/g)].map((match) => Number(match[0]));
    expect(named.filter((code) => !known.has(code) && code % 100 !== 0 && code % 100 !== 99)).toEqual([]);
  });
  it('gives the numbers of the option table', () => {
    for (const sentence of [
      `has ${OPTIONS['limits.perUser'].default} seats`,
      `up to ${OPTIONS['limits.burst.perUser'].default} seats`,
      `for ${OPTIONS['limits.burst.forMs'].default / 1000} seconds`,
      `${OPTIONS['limits.burst.coolDownMs'].default / 60_000} minutes later`,
      `${OPTIONS['queue.places'].default} places, at most ${OPTIONS['queue.waitMs'].default / 1000} seconds`,
      `${OPTIONS['log.keepMs'].default / 60_000} minutes after the end of a run`,
      `within ${OPTIONS['health.transportDeadMs'].default / 1000} seconds`,
      `after ${OPTIONS['health.appDeadMs'].default / 1000} seconds`,
    ]) {
      expect(text).toContain(sentence);
    }
  });
});
