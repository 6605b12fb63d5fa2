import { describe, expect, test } from 'vitest';
import type { Clock } from '../../ports/clock.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { UserId } from '../../protocol/ids.ts';
import { EventStream } from './event-stream.ts';

/** A clock whose timers the test lets ring. */
class SetClock implements Clock {
  now = 0;
  readonly timers = new Set<{ at: number; ring: () => void }>();
  mono = () => this.now;
  wall = () => this.now;
  after(delayMs: number, ring: () => void): () => void {
    const timer = { at: this.now + delayMs, ring };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }
  soon(callback: () => void): void {
    callback();
  }
  pass(ms: number): void {
    this.now += ms;
    for (const timer of [...this.timers]) {
      if (timer.at > this.now || !this.timers.delete(timer)) continue;
      timer.ring();
    }
  }
}

function setUp(livesMs = 60_000) {
  const clock = new SetClock();
  const seen = { resumed: 0, sourceEnded: 0, ended: 0 };
  const identity = { user: 'ada' as UserId, name: 'Ada', tier: 'free', expiresAt: livesMs, family: null };
  const stream = new EventStream({ identity, clock, keepAliveMs: 15_000, ended: () => seen.ended++ });
  stream.feedFrom({ resume: () => seen.resumed++, end: () => seen.sourceEnded++ });
  return { clock, seen, stream };
}
const event = (offset: number, text: string) => ({ type: 'event', offset, data: { text } }) as const;

/** Reads what the stream holds now. */
async function drain(stream: EventStream): Promise<string> {
  const reader = stream.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) text += decoder.decode(chunk.value);
  return text;
}

describe('a reader of events', () => {
  test('that does not read is full after its window, and its source goes on when it reads again', async () => {
    const { stream, seen } = setUp();
    const answers: boolean[] = [];
    for (let offset = 1; offset <= 8; offset++) answers.push(stream.frame(event(offset, 'x'.repeat(10_000)), 'e1').full);
    expect(answers.slice(0, 6)).toEqual(Array(6).fill(false));
    expect(answers.slice(6)).toEqual([true, true]);
    expect(seen.resumed).toBe(0);
    const reader = stream.body.getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    expect(seen.resumed).toBe(1);
  });

  test('gets position and data of every frame, and of a gap where it ends', async () => {
    const { stream } = setUp();
    stream.frame(event(3, 'a\nb'), 'e1');
    stream.frame({ type: 'gap', epoch: 'e2' as never, from: 4, to: 9, reason: 'retention', snapshot: '/s' }, 'e2');
    stream.bye(CLOSE.draining);
    const [first, second, last] = (await drain(stream)).split('\n\n');
    expect(first).toBe('id: e1:3\ndata: {"type":"event","offset":3,"data":{"text":"a\\nb"}}');
    expect(second).toMatch(/^id: e2:9\ndata: \{"type":"gap"/);
    expect(last).toMatch(/^event: bye\ndata: \{"type":"bye","code":4001,"name":"draining","return":"now"/);
  });

  test('is told when its credential ends, and everything ends with it, once', async () => {
    const { stream, clock, seen } = setUp(20_000);
    clock.pass(15_000);
    clock.pass(5_000);
    stream.bye(CLOSE.draining);
    expect(await drain(stream)).toMatch(/^: keep-alive\n\nevent: bye\ndata: .*"code":4010/);
    expect(seen).toEqual({ resumed: 0, sourceEnded: 1, ended: 1 });
    expect(clock.timers.size).toBe(0);
    expect(stream.frame(event(1, 'late'), 'e1')).toEqual({ full: true });
  });

  test('that leaves takes its source and timers along', async () => {
    const { stream, clock, seen } = setUp();
    await stream.body.cancel();
    expect(seen).toEqual({ resumed: 0, sourceEnded: 1, ended: 1 });
    expect(clock.timers.size).toBe(0);
  });

  test('that takes nothing is not told that all is well', () => {
    const { stream, clock } = setUp();
    stream.frame(event(1, 'x'.repeat(70_000)), 'e1');
    clock.pass(15_000);
    clock.pass(15_000);
    stream.bye(CLOSE.draining);
    return expect(drain(stream)).resolves.not.toContain('keep-alive');
  });

  test('whose source comes after it has left ends that source', async () => {
    const clock = new SetClock();
    const identity = { user: 'ada' as UserId, name: 'Ada', tier: 'free', expiresAt: 60_000, family: null };
    const stream = new EventStream({ identity, clock, keepAliveMs: 15_000, ended: () => {} });
    await stream.body.cancel();
    let ended = 0;
    stream.feedFrom({ resume: () => {}, end: () => ended++ });
    expect(ended).toBe(1);
  });
});
