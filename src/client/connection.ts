/** The way back, again and again: dial, be welcomed, wait for a seat, be live, lose the transport, dial. */

import { SpillwayError } from '../protocol/errors.ts';
import type { ClientFrame, Ready, ServerFrame } from '../protocol/frames.ts';
import { namedDelay, retryDelay, STABLE_AFTER_MS } from './backoff.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { Credentials } from './credentials.ts';
import { CREDENTIAL_EXPIRED, explainEnd, SIGN_IN_AGAIN, type TransportEnd } from './disconnect.ts';
import { closed } from './errors.ts';
import { helloOf } from './hello.ts';
import { Link } from './link.ts';
import type { Settings } from './settings.ts';
import type { ResumeClaim } from './storage.ts';
import { type Deferred, deferred, later, monotonicMs } from './timers.ts';
import type { ClientState, DisconnectInfo } from './types.ts';

/** What a person did stands for the next admission, if that comes soon. */
const ACT_COUNTS_FOR_MS = 10_000;

export class Connection {
  /** Why nothing comes any more unless the person asks; null while something may. Only read from outside. */
  refusal: SpillwayError | null = null;
  readonly #settings: Settings;
  readonly #credentials: Credentials;
  readonly #host: ConnectionHost;
  #state: ClientState = { name: 'idle' };
  #link: Link | null = null;
  #isReady = false;
  /** Raised by every step that makes steps under way pointless. */
  #turn = 0;
  #stopTimer = (): void => {};
  #stopOfflineTimer = (): void => {};
  #claim: ResumeClaim | null | undefined;
  #failures = 0;
  #attempt = 0;
  #readyAt = 0;
  #actedAt = Number.NEGATIVE_INFINITY;
  /** When the connection was lost; null while it is not. */
  #lostAt: number | null = null;
  #info: DisconnectInfo | undefined;
  #retryInMs = 0;
  #wasLive = false;
  /** When the last live transport ended, until the next one. */
  #downSince: number | null = null;
  #waiting: Deferred<void> | null = null;

  constructor(settings: Settings, credentials: Credentials, host: ConnectionHost) {
    this.#settings = settings;
    this.#credentials = credentials;
    this.#host = host;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Sends if live. What needs an answer is sent again after the next `ready`. */
  send(frame: ClientFrame): boolean {
    return this.#isReady && this.#link?.send(frame) === true;
  }

  /** As `send`, but also while waiting for a seat: for frames that act at once. */
  sendEarly(frame: ClientFrame): void {
    this.#link?.send(frame);
  }

  /** A person wants to be here: a page was opened, a button pressed, a message sent. */
  act(): Promise<void> {
    if (this.#state.name === 'live') return Promise.resolve();
    this.#waiting ??= deferred();
    const { promise } = this.#waiting;
    this.#actedAt = monotonicMs();
    const isUnderWay = this.#lostAt !== null && this.#retryInMs === 0;
    if (!isUnderWay) this.#dial();
    return promise;
  }

  /** The page came to life again: look whether the transport did, or stop waiting. */
  wake(): void {
    if (this.#link !== null) this.#link.check();
    else if (this.#retryInMs > 0 && this.#info?.return !== 'after') {
      this.#failures = 0;
      this.#dial();
    }
  }

  /** Gives the seat back until the person returns. */
  park(): void {
    const link = this.#rest();
    this.#enter({ name: 'parked' });
    // It never fails, and nobody waits for a page that is not looked at.
    void link?.leave('parked');
  }

  async close(): Promise<void> {
    const link = this.#rest();
    this.#setClaim(null);
    this.#enter({ name: 'closed' });
    this.#settleWaiting(closed());
    await link?.leave('left');
  }

  #dial(): void {
    this.#rest()?.drop();
    const turn = this.#turn;
    this.#attempt += 1;
    this.#retryInMs = 0;
    this.#beAway();
    // One deadline for the whole attempt: an application that never gives its token must not stop the next attempt either.
    this.#stopTimer = later(this.#settings.connectTimeoutMs, () => {
      if (turn === this.#turn) this.#lose({ code: 1006, reason: '' });
    });
    this.#open(turn).catch((error: unknown) => {
      if (turn !== this.#turn) return;
      this.#host.emit('error', error);
      // No attempt can change an address that leads nowhere.
      if (SpillwayError.is(error) && error.code === 'SPILLWAY_BAD_OPTION')
        this.#fail({ ...SIGN_IN_AGAIN, code: 0, name: 'bad-url', text: error.message }, error);
      else if (this.#credentials.isOver(error)) this.#fail(SIGN_IN_AGAIN);
      else this.#lose({ code: 1006, reason: '' });
    });
  }

  async #open(turn: number): Promise<void> {
    if (this.#claim === undefined) {
      const claim = await this.#host.claim();
      this.#claim ??= claim;
    }
    const url = await this.#credentials.url();
    const token = await this.#credentials.token();
    if (turn !== this.#turn) return;
    const intent = monotonicMs() - this.#actedAt <= ACT_COUNTS_FOR_MS ? 'user' : 'auto';
    if (intent === 'auto') url.searchParams.set('intent', 'auto');
    this.#settings.debug({ type: 'dial', attempt: this.#attempt, intent });
    this.#link = new Link({
      url: url.href,
      settings: this.#settings,
      hello: () =>
        helloOf({
          token,
          label: this.#settings.label,
          intent,
          visibility: this.#host.visibility(),
          resume: this.#claim && { ...this.#claim, subs: this.#host.resumeSubs() },
        }),
      frame: (frame, bytes) => this.#receive(frame, bytes),
      end: (end) => this.#lose(end),
    });
  }

  #receive(frame: ServerFrame, bytes: number): void {
    if (frame.type === 'ready') {
      this.#becomeLive(frame, bytes);
      return;
    }
    if (frame.type === 'welcome') {
      this.#stopTimer();
      this.#credentials.accepted();
    } else if (frame.type === 'queued') {
      const { type: name, ...place } = frame;
      this.#enter({ name, ...place });
    } else if (frame.type === 'token-expiring') this.#renewToken();
    this.#host.frame(frame, bytes);
  }

  #becomeLive(ready: Ready, bytes: number): void {
    this.#setClaim({ manager: ready.manager, token: ready.resumeToken });
    this.#stopOfflineTimer();
    this.#isReady = true;
    this.#wasLive = true;
    this.#readyAt = monotonicMs();
    this.#actedAt = Number.NEGATIVE_INFINITY;
    this.#lostAt = null;
    this.#info = undefined;
    this.#attempt = 0;
    this.#host.frame(ready, bytes);
    const { manager, resume, seat } = ready;
    this.#enter({ name: 'live', manager, resume, seat });
    if (this.#downSince !== null) this.#host.emit('resumed', { manager, resume, downMs: Math.round(monotonicMs() - this.#downSince) });
    this.#downSince = null;
    this.#settleWaiting();
  }

  /** The transport ended, or never began: the range of the code alone decides what comes next. */
  #lose(end: TransportEnd): void {
    if (this.#isReady && monotonicMs() - this.#readyAt >= STABLE_AFTER_MS) this.#failures = 0;
    this.#rest()?.drop();
    const info = explainEnd(end);
    const { bye } = end;
    if (bye?.manager && bye.resumeToken) this.#setClaim({ manager: bye.manager, token: bye.resumeToken });
    if (info.return === 'never') {
      this.#fail(info);
      return;
    }
    if (info.return === 'user') {
      this.#wasLive = false;
      this.#enter({ name: 'superseded', info });
      return;
    }
    if (info.code === CREDENTIAL_EXPIRED && !this.#credentials.rejected()) {
      this.#fail(SIGN_IN_AGAIN);
      return;
    }
    // One act, one admission: what a person did does not count twice once the gateway has answered it.
    if (info.code >= 4000) this.#actedAt = Number.NEGATIVE_INFINITY;
    this.#info = info;
    if (end.woke) {
      this.#failures = 0;
      this.#dial();
      return;
    }
    const random = Math.random();
    const delayMs = info.retryAfterMs === undefined ? retryDelay(this.#failures++, this.#settings.retry, random) : namedDelay(info.retryAfterMs, random);
    // At least one, since 0 says that an attempt is under way.
    this.#retryInMs = Math.max(1, delayMs);
    this.#stopTimer = later(this.#retryInMs, () => this.#dial());
    this.#beAway();
  }

  #fail(
    info: DisconnectInfo,
    error = new SpillwayError('SPILLWAY_REFUSED', `Expected to be let in, got ${info.code} (${info.name}). ${info.text}`, { cause: info }),
  ): void {
    this.#rest()?.drop();
    this.#wasLive = false;
    // A claim that was refused, or of somebody who signed out, must not stand in the way of the next credential.
    this.#setClaim(null);
    this.#enter({ name: 'failed', info }, error);
    this.#settleWaiting(error);
  }

  /** Ends whatever is under way and hands over the transport, if there is one, to be closed. */
  #rest(): Link | null {
    const link = this.#link;
    this.#turn += 1;
    this.#link = null;
    this.#stopTimer();
    this.#stopOfflineTimer();
    if (link !== null) this.#host.lost();
    if (this.#isReady) this.#downSince = monotonicMs();
    this.#isReady = false;
    return link;
  }

  /** States that are a rest, not a step on the way, forget the way. */
  #enter(state: ClientState, refusal: SpillwayError | null = null): void {
    this.refusal = refusal;
    if (['parked', 'superseded', 'failed', 'closed'].includes(state.name)) {
      this.#lostAt = null;
      this.#info = undefined;
      this.#attempt = 0;
      this.#retryInMs = 0;
      this.#failures = 0;
    }
    this.#state = state;
    this.#host.emit('state', state);
  }

  /** Shows that the connection is being sought, and later that it has been for long. */
  #beAway(): void {
    this.#lostAt ??= monotonicMs();
    this.#stopOfflineTimer();
    const leftMs = this.#lostAt + this.#settings.offlineAfterMs - monotonicMs();
    if (leftMs > 0) this.#stopOfflineTimer = later(leftMs, () => this.#showAway());
    this.#showAway();
  }

  #showAway(): void {
    const lostAt = this.#lostAt;
    const isQueued = this.#state.name === 'queued' && this.#link !== null;
    if (lostAt === null || isQueued) return;
    const isLong = monotonicMs() - lostAt >= this.#settings.offlineAfterMs;
    if (!isLong && !this.#wasLive && this.#retryInMs === 0) {
      this.#enter({ name: 'connecting', attempt: this.#attempt });
      return;
    }
    this.#enter({
      name: isLong ? 'offline' : 'reconnecting',
      attempt: this.#attempt,
      retryInMs: this.#retryInMs,
      since: Math.round(performance.timeOrigin + lostAt),
      info: this.#info,
    } as ClientState);
  }

  #renewToken(): void {
    const link = this.#link;
    this.#credentials.token('expiring').then(
      (token) => {
        if (token !== null) link?.send({ type: 'token', token });
      },
      // The old one still counts; when it ends the gateway says 4010 and a fresh one is asked for again.
      (error: unknown) => this.#host.emit('error', error),
    );
  }

  #setClaim(claim: ResumeClaim | null): void {
    this.#claim = claim;
    this.#host.keep(claim);
  }

  #settleWaiting(error?: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (error) waiting?.reject(error);
    else waiting?.resolve();
  }
}
