import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../support/lab/time.ts';
import { asking } from '../support/lossless/numbered-agent.ts';
import { until } from '../support/peers/kernel.ts';
import { type Cast, crowdThread } from './cast.ts';
import { notesOf } from './client-notes.ts';
import { crossCheck } from './cross-check.ts';
import type { FaultGateway } from './fault-gateway.ts';
import type { Load, Times } from './row.ts';
import { HEALED_MS, HEARTBEAT_MS, scaled, WINDOW_MS } from './times.ts';
import type { Watched, Watcher } from './watcher.ts';

/** Larger events are a bandwidth, which no preset changes. */
const SMALL_BYTES = 1_000;
const CROWD_LOAD: NonNullable<Load> = { perSecond: 1, bytes: 80, plainEvery: 5 };
const WARM_WITHIN_MS = 30_000;
const PROVED_WITHIN_MS = 40_000;
const LOOK_EVERY_MS = 250;
/** So many windows more for a fault that nobody noticed in its own. */
const LATER_WINDOWS = 2;
/** What a quiet subscriber is told in the end, to show that it was there all the time. */
const LAST_WORDS = 5;

/** From 70 % of the limit on whoever is silent ranks before all functional ones within this. */
const SUSPECT_MS = 25_000;

/** From the fault until it was at least a suspect; null: not yet. */
function suspectedMs({ suspectAt, noticedAt, injectedAt }: Watched): number | null {
  const at = suspectAt ?? noticedAt;
  return at === null ? null : at - injectedAt;
}

export const perSecondOf = (load: NonNullable<Load>, times: Times): number => (load.bytes < SMALL_BYTES ? load.perSecond * times.divisor : load.perSecond);

/** What a cast showed, before it is judged. */
export interface Shown {
  readonly watched: Watched;
  readonly unproved: string | null;
  readonly broken: readonly string[];
  readonly notes: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** One faulty client on its way through warm-up, fault and healing. */
export class CastRun {
  readonly cast: Cast;
  readonly #gateway: FaultGateway;
  readonly #times: Times;
  readonly #runs: { readonly user: string; readonly run: string }[] = [];

  constructor(cast: Cast, gateway: FaultGateway, times: Times) {
    this.cast = cast;
    this.#gateway = gateway;
    this.#times = times;
  }

  /** The agent talks to it, and it is seen to listen. */
  async warmUp(): Promise<void> {
    const { row, subject, crowd, name } = this.cast;
    if (crowd.length > 0) await this.#talk(name, crowdThread(name), CROWD_LOAD);
    if (row.load === null || subject.file === null) return;
    if (row.load.forMs === undefined) await this.#talk(subject.user, subject.thread, row.load);
    else await this.#say(subject.user, subject.thread, LAST_WORDS);
    await until(`${name} to apply its first event`, () => notesOf(subject.file).hasEvents, WARM_WITHIN_MS, LOOK_EVERY_MS);
  }

  /** Breaks it when its turn comes, looks at it for its window, heals it and lets it catch up. */
  async live(watcher: Watcher, onInjection: (tookMs: number) => void): Promise<Shown> {
    const { row, subject, index, of } = this.cast;
    const times = this.#times;
    await delay((index / of) * scaled(times, HEARTBEAT_MS));
    const aim = await watcher.aim(subject);
    const from = nowMs();
    if (row.load?.forMs !== undefined) await this.#talk(subject.user, subject.thread, row.load);
    const injectedAt = nowMs();
    await subject.breaks();
    onInjection(nowMs() - injectedAt);
    const watched = watcher.watch(aim, injectedAt);
    const windowEndsAt = injectedAt + scaled(times, row.windowMs ?? WINDOW_MS);
    const left = (): number => Math.max(0, windowEndsAt - nowMs());
    let unproved = await this.#proved(Math.min(left(), PROVED_WITHIN_MS));
    const broken: string[] = [];
    const notes: string[] = [];
    if (this.cast.variant === '20/20' && row.expect.is === 'noticed') {
      await until('its seat', () => watched.seatReleasedAt !== null || left() === 0, left() + LOOK_EVERY_MS, LOOK_EVERY_MS);
      if (watched.seatReleasedAt !== null) {
        const checked = await crossCheck(this.#gateway, subject.user);
        broken.push(...checked.broken);
        notes.push(`the next one seated in ${checked.seatedMs} ms`);
      }
    }
    if (this.cast.variant === '14/20' && row.expect.is === 'noticed') {
      await until('it to be a suspect', () => suspectedMs(watched) !== null || left() === 0, left() + LOOK_EVERY_MS, LOOK_EVERY_MS);
      const ms = suspectedMs(watched);
      notes.push(ms === null ? 'never a suspect' : `a suspect after ${(ms / 1_000).toFixed(1)} s`);
      if (ms === null || ms > scaled(times, SUSPECT_MS) + times.slackMs)
        broken.push(`it was no suspect within ${scaled(times, SUSPECT_MS)} ms, so that it did not rank first`);
    }
    await delay(left());
    // A gateway that was kept from running for long notices late: only who waits longer can say that it never does.
    if (row.expect.is === 'noticed')
      await until('the fault to be noticed', () => watched.noticedAt !== null, LATER_WINDOWS * scaled(times, row.windowMs ?? WINDOW_MS), LOOK_EVERY_MS).catch(
        () => {
          // Never, then, which the judge says.
        },
      );
    // What nobody may have ended must have been there until now.
    if (row.expect.is === 'left-alone') unproved ??= await subject.proof();
    notes.push(...((await subject.notes?.()) ?? []));
    await subject.heals();
    if (row.load === null && subject.file !== null) await this.#say(subject.user, subject.thread, LAST_WORDS);
    await delay(scaled(times, HEALED_MS));
    broken.push(...((await subject.broken?.()) ?? []));
    return { watched, unproved, broken, notes, from, to: nowMs() };
  }

  /** The agent says no more. */
  async hush(): Promise<void> {
    for (const { user, run } of this.#runs) await this.#gateway.cancel(user, run);
  }

  async #proved(withinMs: number): Promise<string | null> {
    const endsAt = nowMs() + withinMs;
    for (;;) {
      const against = await this.cast.subject.proof();
      if (against === null || nowMs() > endsAt) return against;
      await delay(LOOK_EVERY_MS);
    }
  }

  async #talk(user: string, thread: string, load: NonNullable<Load>): Promise<void> {
    const perSecond = perSecondOf(load, this.#times);
    const count = load.forMs === undefined ? {} : { count: Math.ceil((perSecond * scaled(this.#times, load.forMs)) / 1_000) };
    const run = await this.#gateway.ask(user, thread, asking({ perSecond, bytes: load.bytes, plainEvery: load.plainEvery, ...count }));
    if (load.forMs === undefined) this.#runs.push({ user, run });
  }

  async #say(user: string, thread: string, count: number): Promise<void> {
    await this.#gateway.ask(user, thread, asking({ count, bytes: 80 }));
  }
}
