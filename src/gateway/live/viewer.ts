import type { WebSocket } from 'ws';
import type { Operator, Operators } from '../../auth/operators.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OperatorRole } from '../../ports/events.ts';
import { CLOSE, type CloseCode, closeReason } from '../../protocol/close-codes.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import { LIVE_BOUNDS, type LiveMessage, type LiveRequest, type LiveTopic } from '../../protocol/live.ts';
import { type ParsedLive, parseLiveRequest } from '../../protocol/parse-live.ts';
import type { FrameRate } from '../frame-rate.ts';
import { type Page, Watch } from './channel.ts';

/** Unsent bytes from which on nothing is written: what comes meanwhile is left out, and the newest state follows. */
const UNSENT_MAX_BYTES = 256 * 1024;
/** How often a page is asked for a sign of life, and how many times it may be silent: it may be a machine that is gone. */
const PING_EVERY_MS = 15_000;
const SILENT_PINGS = 4;
const FAREWELL_MS = 500;
/** A page that hears nothing for long takes the connection for dead. */
const STILL_AFTER_MS = 2_000;
const UNKNOWN =
  'Expected the admin key or a token of a role, another one came. The key is the value of `admin.token`, else it stands in the file `admin-key` of the data folder.';
const FULL = `Expected at most ${LIVE_BOUNDS.viewers} pages at once, one more came. Close one, or try again later.`;
const EXPIRED = 'Expected a token that is still good, this one has expired. Make a new one with `spillway token create --role`.';

/** What a viewer may ask of the gateway. */
export interface LiveDesk {
  readonly clock: Clock;
  readonly operators: Operators;
  /** A page showed its key. False: there are too many already. */
  admit(viewer: Viewer): boolean;
  welcome(role: OperatorRole): LiveMessage;
  watch(topic: LiveTopic, watch: Watch): (() => void) | { readonly code: ErrorCode; readonly detail: string };
  who(cell: number): { readonly manager: string; readonly user: string } | null;
  gone(viewer: Viewer): void;
}

/** An operator's page on its connection: shows its key, then watches what is on its screen. */
export class Viewer implements Page {
  readonly #socket: WebSocket;
  readonly #desk: LiveDesk;
  readonly #rate: FrameRate;
  readonly #watches = new Map<number, () => void>();
  #is: 'waiting' | 'judged' | 'watching' | 'over' = 'waiting';
  #silentPings = 0;
  /** Of its token, milliseconds since the Unix epoch. */
  #endsAt = Number.POSITIVE_INFINITY;
  #cancel: () => void;
  #wroteAt = 0;
  /** Runs while something is watched. */
  #cancelStill: (() => void) | null = null;

  constructor(socket: WebSocket, desk: LiveDesk, rate: FrameRate) {
    this.#socket = socket;
    this.#desk = desk;
    this.#rate = rate;
    this.#cancel = desk.clock.after(LIVE_BOUNDS.authMs, () =>
      this.#part(
        CLOSE.helloTimeout,
        'unauthorized',
        `Expected \`Authorization: Bearer KEY\` or a first frame {"type":"auth","key":…} within ${LIVE_BOUNDS.authMs / 1_000} s, none came.`,
      ),
    );
    socket.on('message', (data, isBinary) => this.#message(isBinary ? null : data.toString()));
    socket.on('pong', () => {
      this.#silentPings = 0;
    });
    // Every error of a socket is followed by its 'close'.
    socket.on('error', () => {});
    socket.once('close', () => this.#over());
  }

  /** Looks at a key, from a header or the first frame. */
  show(key: string): void {
    this.#is = 'judged';
    this.#judge(key).catch(() => this.#part(CLOSE.internalError, 'internal', 'The key could not be looked at, by an error of ours. Connect again.'));
  }

  async #judge(key: string): Promise<void> {
    const seen = await this.#desk.operators.recognise(key);
    if (this.#is !== 'judged') return;
    if (seen.is === 'expired') this.#part(CLOSE.credentialExpired, 'credential-expired', EXPIRED);
    else if (seen.is === 'invalid') this.#part(CLOSE.unauthorized, 'unauthorized', UNKNOWN);
    else if (!this.#desk.admit(this)) this.#part(CLOSE.nodeOverloaded, 'node-overloaded', FULL);
    else this.#welcome(seen.operator);
  }

  #welcome({ role, expiresAt }: Operator): void {
    this.#cancel();
    this.#is = 'watching';
    this.#say(this.#desk.welcome(role));
    this.#endsAt = expiresAt ?? Number.POSITIVE_INFINITY;
    this.#ping();
  }

  #ping(): void {
    const { clock } = this.#desk;
    this.#cancel = clock.after(Math.max(0, Math.min(PING_EVERY_MS, this.#endsAt - clock.wall())), () => {
      if (clock.wall() >= this.#endsAt) this.#part(CLOSE.credentialExpired, 'credential-expired', EXPIRED);
      else if (this.#silentPings >= SILENT_PINGS) this.#socket.terminate();
      else {
        this.#silentPings++;
        this.#socket.ping();
        this.#ping();
      }
    });
  }

  /** Ends it: the gateway stops. Whoever does not answer the goodbye is not waited for. */
  end(): void {
    this.#close(CLOSE.reconnect);
    this.#desk.clock.after(FAREWELL_MS, () => this.#socket.terminate());
  }

  // ---- as a page

  get isReading(): boolean {
    return this.#socket.bufferedAmount <= UNSENT_MAX_BYTES;
  }

  update(id: number, data: string): void {
    this.#write(`{"type":"update","id":${id},"data":${data}}`);
  }

  problem(id: number | null, code: ErrorCode, detail: string): void {
    this.#say({ type: 'problem', id, code, detail });
  }

  // ---- what it says

  #message(text: string | null): void {
    if (this.#is === 'over') return;
    const rate = this.#rate.count(this.#desk.clock.mono());
    if (rate === 'flood') this.#part(CLOSE.rateLimited, 'rate-limited', 'Too many frames in ten seconds. Watch less, or change it less often.');
    else if (rate === 'over') this.problem(null, 'rate-limited', 'Too many frames in ten seconds; this one was not read. Send it again later.');
    else if (text === null) this.#part(CLOSE.protocolError, 'bad-request', 'Expected text frames, a binary one came.');
    else this.#read(parseLiveRequest(text));
  }

  #read(parsed: ParsedLive): void {
    if (this.#is !== 'watching') this.#early(parsed.is === 'request' ? parsed.request : null);
    else if (parsed.is === 'problem') this.problem(parsed.id, parsed.code, parsed.detail);
    else this.#act(parsed.request);
  }

  /** Nothing but the key is heard before it. */
  #early(request: LiveRequest | null): void {
    if (request?.type === 'auth') {
      // Who showed one in a header is judged by that.
      if (this.#is === 'waiting') this.show(request.key);
      return;
    }
    const detail = 'Expected the key first, as {"type":"auth","key":…}, something else came. Wait for `welcome` before watching.';
    this.#part(CLOSE.unauthorized, 'unauthorized', detail);
  }

  #act(request: LiveRequest): void {
    switch (request.type) {
      // Who showed its key in a header may show it again.
      case 'auth':
        return;
      case 'watch':
        this.#watch(request.id, request.topic);
        return;
      case 'unwatch':
        if (!this.#unwatch(request.id)) this.problem(request.id, 'not-found', `Expected the id of a watch of this connection, got ${request.id}.`);
        return;
      case 'who': {
        const found = this.#desk.who(request.cell);
        this.#say({ type: 'who', id: request.id, cell: request.cell, manager: found?.manager ?? null, user: found?.user ?? null });
      }
    }
  }

  #watch(id: number, topic: LiveTopic): void {
    this.#unwatch(id);
    if (this.#watches.size >= LIVE_BOUNDS.watches) {
      this.problem(id, 'rate-limited', `Expected at most ${LIVE_BOUNDS.watches} watches of a page, one more came. Unwatch one first.`);
      return;
    }
    const watched = this.#desk.watch(topic, new Watch(id, this));
    if (typeof watched === 'function') {
      this.#watches.set(id, watched);
      this.#cancelStill ??= this.#armStill(STILL_AFTER_MS);
    } else this.problem(id, watched.code, watched.detail);
  }

  #unwatch(id: number): boolean {
    this.#watches.get(id)?.();
    const wasThere = this.#watches.delete(id);
    if (this.#watches.size === 0) this.#beStill();
    return wasThere;
  }

  #armStill(inMs: number): () => void {
    const { clock } = this.#desk;
    return clock.after(inMs, () => {
      const quietMs = clock.mono() - this.#wroteAt;
      if (quietMs >= STILL_AFTER_MS && this.isReading) this.#say({ type: 'still', at: clock.wall() });
      this.#cancelStill = this.#armStill(quietMs >= STILL_AFTER_MS ? STILL_AFTER_MS : STILL_AFTER_MS - quietMs);
    });
  }

  #beStill(): void {
    this.#cancelStill?.();
    this.#cancelStill = null;
  }

  // ---- writing and ending

  #say(message: LiveMessage): void {
    this.#write(JSON.stringify(message));
  }

  #write(text: string): void {
    if (this.#is === 'over' || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#wroteAt = this.#desk.clock.mono();
    this.#socket.send(text);
  }

  #part(close: CloseCode, code: ErrorCode, detail: string): void {
    this.problem(null, code, detail);
    this.#close(close);
  }

  #close(close: CloseCode): void {
    this.#socket.close(close.code, closeReason(close));
    this.#over();
  }

  #over(): void {
    if (this.#is === 'over') return;
    this.#is = 'over';
    this.#cancel();
    for (const unwatch of this.#watches.values()) unwatch();
    this.#watches.clear();
    this.#beStill();
    this.#desk.gone(this);
  }
}
