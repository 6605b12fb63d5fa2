/** A server is stopped while a hundred answers are streaming, as every deploy does it. */

import { expect, test } from 'vitest';
import { type RunningCli, temporaryFolder } from '../support/cli.ts';
import { until } from '../support/peers/kernel.ts';
import { UpgradeRefused, WireClient } from '../support/wire-client.ts';
import { counted, countingModel, MIDDLE, Person, serveOn, tokenOf } from './drain-scene.ts';

const PEOPLE = 100;
const USERS = 10;
/** Of a hundred, so many ask again while their answer is streaming, and as many when they are told that the server is being stopped. */
const ASK_AGAIN = 10;
const EVERY_MS = 50;
const SECOND = 5;

interface Stopped {
  readonly people: readonly Person[];
  readonly url: string;
  /** What each had read when the signal was sent. */
  readonly before: readonly string[];
  /** Milliseconds from the signal to the end of the process, and from the start of the next one until all had everything. */
  readonly endedMs: number;
  readonly finishedMs: number;
}

/** A hundred answers of `count` numbers, SIGTERM in the middle, the next instance on the same store and port. */
async function stopInTheMiddle(cleanUp: AsyncDisposableStack, o: { readonly count: number; readonly drainMs: number }): Promise<Stopped> {
  const folder = cleanUp.use(temporaryFolder());
  const model = cleanUp.use(await countingModel());
  const server = await serveOn(folder.path, model, o.drainMs);
  const first = cleanUp.use(await server.start());
  const people = Array.from({ length: PEOPLE }, (_, i) => cleanUp.use(new Person(server.url, `user-${i % USERS}`, `thread-${i}`)));
  for (const person of people) person.ask(o.count, EVERY_MS);
  await until('a hundred answers in the middle', () => people.every(({ text }) => text === counted(MIDDLE)), 30_000);
  const waiting = people.slice(0, ASK_AGAIN);
  for (const person of waiting) person.ask(SECOND, EVERY_MS);
  await Promise.all(waiting.map(({ accepted }) => accepted[1]));
  // Their turns come last, so that what they say meets a server that is being stopped.
  const late = people.slice(-ASK_AGAIN);
  for (const person of late) person.client.on('notice', ({ kind }) => kind === 'draining' && person.accepted.length === 1 && person.ask(SECOND, EVERY_MS));

  const stranger = cleanUp.use(await WireClient.open(`${server.url.replace('http', 'ws')}/v1/ws`));
  const before = people.map(({ text }) => text);
  const toldAt = performance.now();
  model.goOn();
  first.child.kill('SIGTERM');
  await expectTurnedAway(first, server.url, stranger);
  expect(await first.finished).toMatchObject({ code: 0, signal: null, stderr: '' });
  const endedMs = performance.now() - toldAt;
  const startedAt = performance.now();
  cleanUp.use(await server.start());
  const runsOf = (person: Person): number => (waiting.includes(person) || late.includes(person) ? 2 : 1);
  await until('the end of every answer', () => people.every((person) => person.hasEnded(runsOf(person))), 20_000);
  const finishedMs = performance.now() - startedAt;
  await expectWhole(server.url, people, waiting, late);
  return { people, url: server.url, before, endedMs, finishedMs };
}

/** Readiness fails at once, and nobody new comes in. */
async function expectTurnedAway(process: RunningCli, url: string, stranger: WireClient): Promise<void> {
  await process.until(/"event":"stopping"/);
  const ready = await fetch(`${url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ checks: expect.arrayContaining([expect.objectContaining({ name: 'draining', ok: false })]) });
  const refused = await WireClient.open(`${url.replace('http', 'ws')}/v1/ws`).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UpgradeRefused);
  expect(refused).toMatchObject({ status: 503 });
  expect(JSON.parse((refused as UpgradeRefused).body)).toMatchObject({ code: 'draining', retryable: true });
  stranger.sendFrame({ type: 'hello', v: 1, token: await tokenOf('stranger'), client: { name: 'late', version: '1' }, intent: 'user' });
  expect(await stranger.close()).toMatchObject({ code: 4_001 });
}

/** Everybody has the whole log, every event once and in order, and every run one start and one end. */
async function expectWhole(url: string, people: readonly Person[], waiting: readonly Person[], late: readonly Person[]): Promise<void> {
  for (const person of people) {
    expect(person.gaps).toBe(0);
    expect(person.offsets).toEqual(person.offsets.toSorted((a, b) => a - b));
    expect(new Set(person.offsets).size).toBe(person.offsets.length);
    for (const run of person.runs.values()) expect({ starts: run.starts.length, ends: run.ends.length }).toEqual({ starts: 1, ends: 1 });
    const log = await person.log(url);
    expect(person.offsets.at(-1)).toBe(log.offset);
    expect([...person.runs.values()].map(({ text }) => text)).toEqual(log.messages.map(({ text }) => text));
    expect([...person.runs.keys()]).toEqual(await Promise.all(person.accepted));
    expect(person.notices).toContain('draining');
    expect(person.closes[0]).toBe('4001 draining');
  }
  // Whoever asked while the first answer ran, or while the server was being stopped, is answered by the next one, once.
  for (const person of [...waiting, ...late]) {
    const second = [...person.runs.values()][1];
    expect({ text: second?.text, how: second?.ends[0]?.how }).toEqual({ text: counted(SECOND), how: 'completed' });
  }
  expect(late.filter(({ refusals }) => refusals.length > 0).length, 'messages that the stopping server put off').toBeGreaterThan(0);
}

test('SIGTERM during a hundred answers, with time enough: every answer goes on to its end, and its reader has all of it from the next instance', {
  timeout: 60_000,
}, async () => {
  await using cleanUp = new AsyncDisposableStack();
  const count = 60;
  const { people, before } = await stopInTheMiddle(cleanUp, { count, drainMs: 15_000 });
  expect(before).toEqual(Array(PEOPLE).fill(counted(MIDDLE)));
  expect(people.map(({ text }) => text)).toEqual(Array(PEOPLE).fill(counted(count)));
  expect(people.map(({ runs }) => [...runs.values()][0]?.ends[0]?.how)).toEqual(Array(PEOPLE).fill('completed'));
});

test('SIGTERM during a hundred answers, without time: every answer ends once with "producer lost", and what was said stays', {
  timeout: 60_000,
}, async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { people, before, endedMs } = await stopInTheMiddle(cleanUp, { count: 2_000, drainMs: 1_500 });
  expect(endedMs).toBeGreaterThan(1_000);
  for (const [i, person] of people.entries()) {
    const [first] = person.runs.values();
    expect(first?.ends[0]?.how).toBe('producer_lost');
    expect(first?.text.startsWith(before[i] ?? '?')).toBe(true);
    expect(counted(2_000).startsWith(first?.text ?? '?')).toBe(true);
  }
  // "Try again": the conversation goes on where it stopped.
  const [person] = people.slice(ASK_AGAIN);
  person?.ask(SECOND, EVERY_MS);
  await until('another answer', () => person?.hasEnded(2) ?? null);
  expect([...(person?.runs.values() ?? [])][1]).toMatchObject({ text: counted(SECOND) });
});
