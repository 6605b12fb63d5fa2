/** People in the middle of an answer: each has a page X, to which something happens, and a page Y that goes on undisturbed. */

import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { check, faultsOf } from '../support/lossless/checker.ts';
import { entriesOf, toldLog } from '../support/lossless/logged.ts';
import { type Asked, asking } from '../support/lossless/numbered-agent.ts';
import { type Happening, isReached, RESUBSCRIBED, Recorder } from '../support/lossless/recorder.ts';
import type { Attempted, Findings, Line, Logged } from '../support/lossless/records.ts';
import { type MemorySink, memorySink } from '../support/lossless/sink.ts';
import { listenAnywhere } from '../support/ports.ts';

/** `SPILLWAY_LONG=1`: times as they are by default, and the pace of the scenario. */
export const IS_LONG = process.env.SPILLWAY_LONG === '1';
export const TIMING = IS_LONG ? 'default' : 'fast';
/** Of the scenario, divided as the preset divides. */
export const timed = (ms: number): number => (IS_LONG ? ms : ms / 10);

export const COUNT = 300;
export const PER_SECOND = IS_LONG ? 50 : 100;
const STEP = 14;
/** Twenty offsets of a run, 80 among them. */
export const OFFSETS: readonly number[] = Array.from({ length: 20 }, (_, i) => 10 + STEP * i);
export const THREAD = 'answer';
const DEADLINE_MS = 60_000;

export const RUN: Asked = { count: COUNT, perSecond: PER_SECOND, bytes: 90, plainEvery: 7 };

export interface Where {
  readonly wsUrl: string;
  token(user: string): Promise<string>;
}

/** A page of a person, in this process. */
export class Page implements AsyncDisposable {
  readonly user: string;
  readonly recorder: Recorder;
  readonly happened: Happening[] = [];
  applied = 0;
  acked = 0;
  /** Last applied one. */
  offset = 0;
  readonly #sink: MemorySink;
  readonly #waiting = new Set<() => void>();

  private constructor(user: string, url: string, token: string, label: string, sink: MemorySink) {
    this.user = user;
    this.#sink = sink;
    this.recorder = new Recorder({
      url,
      tokens: [token],
      thread: THREAD,
      label,
      sink: this.#sink,
      // A gateway that was started again need not be waited for as long as a browser may.
      settings: { retry: { maxDelayMs: 1_000 } },
      onProgress: (progress) => {
        if (isReached(progress)) {
          this[progress.is] = progress.number;
          if (progress.is === 'applied') this.offset = progress.offset;
        } else this.happened.push(progress);
        for (const look of [...this.#waiting]) look();
      },
    });
  }

  /** Resolves when it is live. `url`: another way to the gateway. `before`: the page that it goes on for, which was closed. */
  static async open(where: Where, user: string, label: string, url = where.wsUrl, before?: Page): Promise<Page> {
    const page = new Page(user, url, await where.token(user), label, before === undefined ? memorySink() : before.#sink);
    await page.until('live', () => page.isLive);
    return page;
  }

  get lines(): readonly Line[] {
    return this.#sink.lines;
  }

  /** Its last state. */
  get state(): Extract<Happening, { is: 'state' }> | undefined {
    return this.happened.findLast((it) => it.is === 'state');
  }

  get isLive(): boolean {
    return this.state?.name === 'live';
  }

  /** How each transport was seated. */
  get seatings(): readonly string[] {
    return this.happened.flatMap((it) => (it.is === 'state' && it.how !== undefined ? [it.how] : []));
  }

  get closes(): readonly number[] {
    return this.happened.flatMap((it) => (it.is === 'close' ? [it.code] : []));
  }

  /** Statuses and codes of the ends that it was shown. */
  get ends(): readonly string[] {
    return this.happened.flatMap((it) => (it.is === 'run-ended' ? [it.status ?? it.code ?? ''] : []));
  }

  ask(asked: Asked = RUN): void {
    this.recorder.send(asking(asked));
  }

  until(what: string, is: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!is()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        const seen = { state: this.state, applied: this.applied, closes: this.closes, ends: this.ends };
        reject(new Error(`Expected ${what} of ${this.user} within ${deadlineMs} ms, got ${JSON.stringify(seen)}`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** The end of a run is on its screen. */
  hasEnded(runs = 1): Promise<void> {
    return this.until(`end ${runs}`, () => this.ends.length >= runs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.recorder.close();
  }
}

/** A road between one page and the gateway, on which things happen. */
export interface Road extends AsyncDisposable {
  readonly url: string;
  /** Both ends get a TCP reset. New connections come through. */
  reset(): void;
  /** Towards the page so many bytes a second from now on; null: as fast as they come. */
  throttle(bytesPerSecond: number | null): void;
}

const TICK_MS = 20;

export async function roadTo(where: Where): Promise<Road> {
  const { port: target, hostname, pathname } = new URL(where.wsUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  let rate: number | null = null;
  const server = createServer((near) => {
    // What waits for a slow page waits in the gateway's kernel or the gateway, not here.
    const to = { port: Number(target), host: hostname, highWaterMark: 1_024 };
    const far = connect(to);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [socket, other] of [pair, [far, near] as const]) {
      // Ends are passed on by 'close'.
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
    near.pipe(far);
    far.on('readable', () => {
      if (rate === null) passOn(pair, Number.POSITIVE_INFINITY);
    });
  });
  const passOn = ([near, far]: readonly [Socket, Socket], atMost: number): void => {
    const chunk = far.read(Math.min(atMost, far.readableLength)) as Buffer | null;
    if (chunk !== null) near.write(chunk);
  };
  const ticker = setInterval(() => {
    for (const pair of pairs) passOn(pair, rate === null ? Number.POSITIVE_INFINITY : Math.ceil((rate * TICK_MS) / 1_000));
  }, TICK_MS);
  return {
    url: `ws://127.0.0.1:${await listenAnywhere(server)}${pathname}`,
    reset() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    throttle(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(ticker);
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs that began one after the other, so that one instant finds each at another of the offsets. */
export async function staggered(ys: readonly Page[]): Promise<void> {
  for (const y of ys.toReversed()) {
    y.ask();
    await delay((1_000 * STEP) / PER_SECOND);
  }
}

export interface Log {
  readonly entries: readonly Logged[];
  /** Statuses and codes of the terminal events. */
  readonly ends: readonly string[];
}

/** Everything that is logged of a person's conversation. */
export async function logOf(url: string, token: string): Promise<Log> {
  const entries: Logged[] = [];
  const ends: string[] = [];
  for await (const frame of toldLog({ url, token, thread: THREAD })) {
    entries.push(...entriesOf(frame));
    for (const { type, status, code } of [frame.told.data].flat() as { type?: string; status?: string; code?: string }[])
      if (type === 'agent_completed' || type === 'agent_error') ends.push(status ?? code ?? '');
  }
  return { entries, ends };
}

export interface Tally {
  runs: number;
  pages: number;
  events: number;
}

/** What one page has to show for a run that was whole: 1…300, ascending, once each, and nothing acknowledged before it was there. */
export function expectWhole(user: string, written: Iterable<Line>, log: Log, attempted: readonly Attempted[], tally: Tally): Findings {
  const lines = [...written];
  const findings = check({ user, logged: log.entries, lines, attempted });
  expect({ user, faults: faultsOf(findings) }).toEqual({ user, faults: [] });
  expect({ user, checked: findings.checked }).toEqual({ user, checked: COUNT });
  // Nor did it have to find a hole by itself.
  expect({ user, resubscribed: lines.filter((line) => line.is === 'note' && line.what === RESUBSCRIBED).length }).toEqual({ user, resubscribed: 0 });
  tally.pages++;
  tally.events += findings.checked;
  return findings;
}

/** The run went on to its one end. */
export function expectOneEnd(user: string, log: Log, tally: Tally): void {
  expect({ user, numbers: log.entries.flatMap(({ number }) => number ?? []), ends: log.ends }).toEqual({
    user,
    numbers: Array.from({ length: COUNT }, (_, i) => i + 1),
    ends: ['completed'],
  });
  tally.runs++;
}

export function attemptedBy(user: string, all: readonly Attempted[]): readonly Attempted[] {
  return all.filter((line) => line.user === user);
}

/** Seats that a person holds. */
export async function seatsOf(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/v1/me/sessions`, { headers: { authorization: `Bearer ${token}` } });
  return ((await response.json()) as { limits: { used: number } }).limits.used;
}
