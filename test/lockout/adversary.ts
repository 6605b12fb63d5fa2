import type { WallClock } from '../support/lab/faketime.ts';
import type { Lab } from '../support/lab/lab.ts';
import { between, pick, type Seeded, weighted } from '../support/lab/seeded.ts';
import { nowMs } from '../support/lab/time.ts';
import { Guest, type House } from './guest.ts';
import type { Setting } from './setting.ts';

/** How often each act is drawn, relative to the others. */
const ACTS = {
  arrive: 22,
  crowd: 3,
  'come-back': 12,
  twin: 2,
  leave: 6,
  die: 6,
  vanish: 4,
  freeze: 6,
  thaw: 5,
  talk: 8,
  free: 3,
  weather: 2,
  stall: 2,
  clock: 1,
} as const;
type Act = keyof typeof ACTS;

/** More tabs than this are too many for one process to play. */
const GUESTS_MAX = 70;
const HOUR_S = 3_600;
const PAUSE_MS = { from: 0, to: 120 } as const;
/** Weather does not last. */
const WEATHER_MS = { from: 200, to: 2_000 } as const;
/** Most writes and reads of a store that fail in bad weather, and how long a slow one takes: a store in another building. */
const FAILING_MAX = 0.5;
const SLOW_MS = 5;
const STALL_MS = { from: 50, to: 1_500 } as const;

/** Everything bad that can happen to one gateway, drawn from one seed. */
export class Adversary {
  readonly guests: Guest[] = [];
  readonly #lab: Lab;
  readonly #random: Seeded;
  readonly #setting: Setting;
  readonly #house: House;
  readonly #tokens: ReadonlyMap<string, string>;
  readonly #clock: WallClock | null;
  readonly counts: Record<string, number> = {};
  #numbered = 0;
  #isCalm = true;

  constructor(o: { lab: Lab; random: Seeded; setting: Setting; house: House; tokens: ReadonlyMap<string, string>; clock: WallClock | null }) {
    this.#lab = o.lab;
    this.#random = o.random;
    this.#setting = o.setting;
    this.#house = o.house;
    this.#tokens = o.tokens;
    this.#clock = o.clock;
  }

  /** Acts until `isOver`. */
  async rage(isOver: () => boolean): Promise<void> {
    while (!isOver() && !this.#lab.hasEnded) {
      const act = weighted(this.#random, ACTS);
      this.counts[act] = (this.counts[act] ?? 0) + 1;
      await this.#act(act);
      await pause(between(this.#random, PAUSE_MS.from, PAUSE_MS.to));
    }
  }

  /** The weather clears up, clocks are right again. */
  async rest(): Promise<void> {
    this.#clock?.jumpTo(0);
    await this.#clearUp();
  }

  async #clearUp(): Promise<void> {
    await this.#lab.tell({ do: 'weather', weather: { failing: 0, slowMs: 0 } });
    const bad = this.#house.weather.at(-1);
    if (bad?.to === Number.POSITIVE_INFINITY) bad.to = nowMs();
    this.#isCalm = true;
  }

  /** A new tab of `user`, or of anybody. */
  newcomer(user = pick(this.#random, this.#setting.users).id): Guest {
    const guest = new Guest(this.#house, { name: `t${++this.#numbered}`, user, token: this.#tokens.get(user) ?? '' });
    this.guests.push(guest);
    return guest;
  }

  async #act(act: Act): Promise<void> {
    switch (act) {
      case 'arrive':
        return this.#arrive();
      case 'crowd':
        return this.#crowd();
      case 'come-back':
        return this.#comeBack();
      case 'twin':
        return this.#twin();
      case 'leave':
      case 'die':
      case 'vanish':
      case 'freeze':
      case 'thaw':
        return this.#one((guest) => guest[act]());
      case 'talk':
        return this.#one((guest) => guest.talk(between(this.#random, 100, 5_000)));
      case 'free':
        return await this.#free();
      case 'weather':
        return await this.#changeWeather();
      case 'stall':
        return await this.#stall();
      case 'clock':
        return this.#jump();
    }
  }

  get #intent(): 'user' | 'auto' {
    return this.#random() < 0.8 ? 'user' : 'auto';
  }

  /** Some clients are less patient than the queue. */
  get #waitMs(): number | null {
    return this.#random() < 0.1 ? between(this.#random, 100, this.#setting.waitMs) : null;
  }

  #makeRoom(): void {
    while (this.guests.length >= GUESTS_MAX) {
      const index = this.guests.findIndex((guest) => guest.attempt === null);
      const [guest] = this.guests.splice(Math.max(0, index), 1);
      guest?.die();
    }
  }

  #arrive(user?: string): void {
    this.#makeRoom();
    this.newcomer(user).ask(this.#intent, { withToken: false, waitMs: this.#waitMs });
  }

  /** A person opens many tabs, or comes back with all of them. */
  #crowd(): void {
    const user = pick(this.#random, this.#setting.users).id;
    const count = between(this.#random, 3, 20);
    this.#house.tell(`a crowd of ${count} of ${user}`);
    for (let i = 0; i < count; i++) this.#arrive(user);
  }

  #comeBack(): void {
    const away = this.guests.filter((guest) => !guest.isConnected && guest.attempt === null);
    if (away.length === 0) return;
    pick(this.#random, away).ask(this.#intent, { withToken: this.#random() < 0.7, waitMs: this.#waitMs });
  }

  /** Two pages with one token: a tab that was duplicated. */
  #twin(): void {
    const seated = this.guests.filter((guest) => guest.resume !== null && guest.attempt === null);
    if (seated.length === 0) return;
    this.#makeRoom();
    const twin = pick(this.#random, seated).twin(`t${++this.#numbered}`);
    this.guests.push(twin);
    twin.ask(this.#intent, { withToken: true, waitMs: null });
  }

  #one(act: (guest: Guest) => void): void {
    const connected = this.guests.filter((guest) => guest.isConnected);
    if (connected.length > 0) act(pick(this.#random, connected));
  }

  /** The person's own way out, over HTTP. */
  async #free(): Promise<void> {
    const user = pick(this.#random, this.#setting.users).id;
    const token = this.#tokens.get(user) ?? '';
    if (this.#random() < 0.5) {
      await this.#lab.request('POST', '/v1/me/sessions/free-unresponsive', token, {}).then((response) => response.text());
      this.#house.tell(`${user} frees all that do not respond`);
      return;
    }
    const response = await this.#lab.request('GET', '/v1/me/sessions', token);
    const { sessions = [] } = (await response.json()) as { readonly sessions?: readonly { readonly id: string }[] };
    if (sessions.length === 0) return;
    await this.#lab.request('DELETE', `/v1/me/sessions/${pick(this.#random, sessions).id}`, token).then((answer) => answer.text());
    this.#house.tell(`${user} frees one session`);
  }

  async #changeWeather(): Promise<void> {
    if (!this.#isCalm) return;
    this.#isCalm = false;
    const failing = this.#random() < 0.7 ? this.#random() * FAILING_MAX : 0;
    const forMs = between(this.#random, WEATHER_MS.from, WEATHER_MS.to);
    const user = this.#random() < 0.5 ? pick(this.#random, this.#setting.users).id : null;
    this.#house.tell(`for ${forMs} ms ${Math.round(100 * failing)} % of store calls fail${user === null ? '' : ` for ${user}`}`);
    if (failing > 0) this.#house.weather.push({ from: nowMs(), to: Number.POSITIVE_INFINITY, user });
    await this.#lab.tell({ do: 'weather', weather: { failing, slowMs: this.#random() * SLOW_MS, ...(user === null ? {} : { user }) } });
    setTimeout(() => {
      if (this.#house.isOver() || this.#lab.hasEnded) return;
      this.#clearUp().catch(() => {
        // The gateway is gone, which whoever waits for its answers says.
      });
    }, forMs);
  }

  async #stall(): Promise<void> {
    const ms = between(this.#random, STALL_MS.from, STALL_MS.to);
    const isBusy = this.#random() < 0.5;
    this.#house.tell(isBusy ? `the gateway computes for ${ms} ms` : `the gateway is stopped for ${ms} ms`);
    if (isBusy) await this.#lab.tell({ do: 'busy', ms });
    else await this.#lab.stopFor(ms);
  }

  #jump(): void {
    if (this.#clock === null) return;
    const offsetS = pick(this.#random, [-24 * HOUR_S, -HOUR_S, 0, HOUR_S, 24 * HOUR_S]);
    this.#house.tell(`the wall clock is off by ${offsetS} s`);
    this.#clock.jumpTo(offsetS);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
