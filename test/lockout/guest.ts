import { WebSocket } from 'ws';
import { returnOf } from '../../src/protocol/close-codes.ts';
import { between, type Seeded } from '../support/lab/seeded.ts';
import { nowMs } from '../support/lab/time.ts';
import { type TcpRelay, tcpRelay } from '../support/peers/tcp-relay.ts';
import type { Attempt, Intent } from './attempt.ts';

/** What a guest is to its application: `works` acknowledges and answers; `frozen` answers nothing but protocol pings; `mute` does not read. */
export type Manner = 'works' | 'frozen' | 'mute';

/** What guests share. */
export interface House {
  readonly random: Seeded;
  readonly wsUrl: string;
  /** The way on which no goodbye of a client arrives. */
  readonly stubbornUrl: string;
  readonly port: number;
  readonly isOver: () => boolean;
  readonly newAttempt: (guest: Guest, intent: Intent, waitMs: number | null) => Attempt;
  readonly tell: (text: string) => void;
  /** Times in which the store of a user, or of everybody, fails. The last one may not be over. */
  readonly weather: { readonly from: number; to: number; readonly user: string | null }[];
  /** How long a place is kept for whoever was told to come back. */
  readonly promiseMs: number;
}

interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Jitter of a client that redials at once. */
const REDIAL_MS = 100;
const TALKS_ON = 1;

/** One tab of a person: what it does is the adversary's; how it comes back is the protocol's. */
export class Guest {
  readonly name: string;
  readonly user: string;
  readonly token: string;
  readonly road: 'straight' | 'stubborn' | 'relay';
  manner: Manner = 'works';
  /** Its attempt that is not over. */
  attempt: Attempt | null = null;
  resume: { readonly manager: string; readonly token: string } | null = null;
  isSeated = false;
  /** Whether it comes back by itself after it was seated and lost its socket. */
  returnsByItself: boolean;
  readonly #house: House;
  #socket: WebSocket | null = null;
  #relay: TcpRelay | null = null;
  /** Counts dials; what an older socket still says concerns nobody. */
  #dial = 0;
  #sent = 0;

  constructor(house: House, o: { name: string; user: string; token: string }) {
    this.#house = house;
    this.name = o.name;
    this.user = o.user;
    this.token = o.token;
    const chance = house.random();
    this.road = chance < 0.2 ? 'stubborn' : chance < 0.4 ? 'relay' : 'straight';
    this.returnsByItself = house.random() < 0.5;
  }

  get isConnected(): boolean {
    return this.#socket !== null;
  }

  /** A person (or the page by itself) asks for a seat. */
  ask(intent: Intent, o: { readonly withToken: boolean; readonly waitMs: number | null }): void {
    const attempt = this.#house.newAttempt(this, intent, o.waitMs);
    this.attempt = attempt;
    if (!o.withToken) this.resume = null;
    this.manner = 'works';
    this.#connect(attempt, o.waitMs);
  }

  #connect(attempt: Attempt, waitMs: number | null): void {
    this.#open(attempt, waitMs).catch((error: unknown) => {
      attempt.note(`could not dial: ${String(error)}`);
    });
  }

  async #open(attempt: Attempt, waitMs: number | null): Promise<void> {
    const dial = ++this.#dial;
    this.#drop();
    let url = this.road === 'stubborn' ? this.#house.stubbornUrl : this.#house.wsUrl;
    if (this.road === 'relay') {
      const relay = await tcpRelay(this.#house.port);
      if (dial !== this.#dial) {
        await relay[Symbol.asyncDispose]();
        return;
      }
      this.#relay = relay;
      url = `ws://127.0.0.1:${relay.port}/v1/ws`;
    }
    attempt.note(`dials (${this.road}${this.resume === null ? '' : ', with its token'})`);
    const socket = new WebSocket(url, ['spillway.v1'], { perMessageDeflate: false });
    this.#socket = socket;
    let status: number | null = null;
    const isMine = (): boolean => dial === this.#dial;
    socket.on('open', () => {
      if (!isMine()) return;
      const { resume } = this;
      socket.send(
        JSON.stringify({
          type: 'hello',
          v: 1,
          token: this.token,
          client: { name: 'guest', version: '1.0', label: this.name },
          intent: attempt.intent,
          visibility: 'visible',
          ...(waitMs === null ? {} : { waitMs }),
          ...(resume === null ? {} : { resume: { ...resume, subs: [] } }),
        }),
      );
    });
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString()) as Frame;
      if (!isMine()) return;
      // It is heard at once: how long the closing takes is the network's business.
      if (frame.type === 'bye') this.#closed(Number(frame.code), frame, null, attempt, waitMs);
      else this.#hear(frame, attempt, socket);
    });
    socket.on('unexpected-response', (_request, response) => {
      status = response.statusCode ?? 0;
      response.resume();
      socket.terminate();
    });
    // What an error has to say comes with 'close'.
    socket.on('error', () => {});
    socket.on('close', (code) => {
      if (isMine()) this.#closed(code, null, status, attempt, waitMs);
    });
  }

  #hear(frame: Frame, attempt: Attempt, socket: WebSocket): void {
    if (frame.type === 'queued') attempt.inQueue(`queued: ${String(frame.position)} of ${String(frame.of)}, at most ${String(frame.deadlineMs)} ms`);
    else if (frame.type === 'ready') {
      this.resume = { manager: String(frame.manager), token: String(frame.resumeToken) };
      this.isSeated = true;
      attempt.seated(`seated (${String(frame.seat)}, ${String(frame.resume)})`);
      this.attempt = null;
      if (this.manner === 'works') socket.send(JSON.stringify({ type: 'subscribe', sub: TALKS_ON, thread: this.name, from: 'now' }));
    } else if (this.manner !== 'works') return;
    else if (frame.type === 'event') socket.send(JSON.stringify({ type: 'ack', sub: frame.sub, offset: frame.offset }));
    else if (frame.type === 'probe') socket.send(JSON.stringify({ type: 'probe-ok', n: frame.n }));
  }

  /** As a client must act by the protocol: on the range alone. */
  #closed(code: number, bye: Frame | null, status: number | null, attempt: Attempt, waitMs: number | null): void {
    this.#dial++;
    this.#drop();
    const wasSeated = this.isSeated;
    this.isSeated = false;
    if (bye !== null && typeof bye.resumeToken === 'string') this.resume = { manager: String(bye.manager), token: bye.resumeToken };
    if (this.#house.isOver()) return;
    if (wasSeated) {
      // Its attempt is long over; whether it comes back is a new one, of the page alone.
      if (returnOf(code) === 'now' && this.returnsByItself) this.ask('auto', { withToken: true, waitMs: null });
      return;
    }
    if (attempt.outcome !== null) return;
    if (status !== null) {
      attempt.locked(`HTTP ${status} before the upgrade`);
      return;
    }
    const back = returnOf(code);
    const reason = String(bye?.reason ?? code);
    if (back === 'now') {
      attempt.redials++;
      attempt.note(`closed with ${code} (${reason}), dials again`);
      this.#later(this.#house.random() * REDIAL_MS, () => this.#connect(attempt, waitMs), attempt);
    } else if (back === 'after') {
      const afterMs = Number(bye?.retryAfterMs ?? Number.NaN);
      if (!attempt.refused(reason, afterMs)) return;
      // It comes back within the time for which its place is kept.
      const lateMs = this.#house.random() * this.#house.promiseMs * 0.4;
      this.#later(
        afterMs + lateMs,
        () => {
          // The promise is in the token: who has lost it has lost its claim to it.
          if (this.#house.random() < 0.1) this.resume = null;
          attempt.returnsNow(this.resume !== null);
          this.#connect(attempt, waitMs);
        },
        attempt,
      );
    } else if (reason === 'superseded') attempt.end('superseded');
    else attempt.locked(`closed with ${code} (${reason}) before it had a seat`);
  }

  #later(ms: number, act: () => void, attempt: Attempt): void {
    const dial = this.#dial;
    setTimeout(() => {
      if (dial === this.#dial && attempt.outcome === null && !this.#house.isOver()) act();
    }, ms);
  }

  #drop(): void {
    const socket = this.#socket;
    const relay = this.#relay;
    this.#socket = null;
    this.#relay = null;
    socket?.terminate();
    if (relay) void relay[Symbol.asyncDispose]();
  }

  // ---- what the adversary does to it

  /** It says goodbye. */
  leave(): void {
    this.attempt?.note('leaves');
    this.attempt?.end('left');
    this.attempt = null;
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'bye', reason: 'left' }));
    this.#forget();
  }

  /** Its process dies: a reset, or nothing at all on a silent road. */
  die(): void {
    this.attempt?.note('dies');
    this.attempt?.end('left');
    this.attempt = null;
    this.#forget();
  }

  #forget(): void {
    this.#dial++;
    this.isSeated = false;
    this.#drop();
  }

  /** It is gone without a word: its road swallows everything, or nobody reads its socket any more. */
  vanish(): void {
    this.attempt?.note('vanishes');
    this.attempt?.end('left');
    this.attempt = null;
    this.manner = 'mute';
    if (this.#relay) this.#relay.become({ is: 'swallow' });
    else this.#socket?.pause();
  }

  freeze(): void {
    this.attempt?.note('its page freezes');
    this.manner = 'frozen';
  }

  thaw(): void {
    if (this.manner === 'mute' && !this.#relay) this.#socket?.resume();
    this.manner = 'works';
  }

  talk(ms: number): void {
    const socket = this.#socket;
    if (!this.isSeated || socket?.readyState !== WebSocket.OPEN) return;
    const text = between(this.#house.random, 0, 2) === 0 ? `busy ${between(this.#house.random, 20, 300)}` : `long ${ms}`;
    socket.send(JSON.stringify({ type: 'send', id: `s${++this.#sent}`, thread: this.name, data: { text } }));
  }

  /** The same tab once more: both hold the same token. */
  twin(name: string): Guest {
    const twin = new Guest(this.#house, { name, user: this.user, token: this.token });
    twin.resume = this.resume;
    return twin;
  }

  describe(): string {
    return `${this.name} of ${this.user}, ${this.manner}, at ${Math.round(nowMs())}`;
  }

  [Symbol.dispose](): void {
    this.#forget();
  }
}
