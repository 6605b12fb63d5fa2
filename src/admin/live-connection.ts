import { LIVE_PROTOCOL, type LiveMessage, type LiveRequest, type LiveTopic, type LiveUpdate, type LiveWelcome } from '../protocol/live.ts';
import { ADMIN_PATH } from './request.ts';

/** How the live connection stands. Times are milliseconds since the Unix epoch. */
export type LiveState =
  | { readonly name: 'connecting' }
  | { readonly name: 'live' }
  /** The socket is open, and nothing came for longer than `SILENT_AFTER_MS` although something should have. */
  | { readonly name: 'silent'; readonly since: number }
  /** There is no socket; the next attempt is at `retryAt`. `since`: when it was lost. */
  | { readonly name: 'lost'; readonly since: number; readonly retryAt: number; readonly detail: string }
  /** Nobody looks: nothing is watched. */
  | { readonly name: 'resting' }
  /** The gateway does not take this key, or not such a client. It is not tried again. */
  | { readonly name: 'refused'; readonly code: string; readonly detail: string }
  | { readonly name: 'closed' };

/** Where "does anybody look?" is read: a `Document` is one. */
export interface LookedAt {
  readonly visibilityState: string;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

export interface LiveOptions {
  /** Address of the operators' port, such as `http://127.0.0.1:8788`, with the gateway's prefix if it has one. */
  readonly url: string;
  readonly key: string;
  /** While it is hidden nothing is watched, and a lost connection is not dialled again. Default: somebody always looks. */
  readonly page?: LookedAt;
}

export interface WatchHandlers {
  update(data: LiveUpdate): void;
  /** The gateway does not fill this watch; `detail` says why. */
  problem?(code: string, detail: string): void;
}

/** One topic, watched until `end`; over lost connections too. */
export interface Watch {
  /** Watches something else under the same name. */
  change(topic: LiveTopic): void;
  /** Who is this cell of the map? Null: nobody any more, or there was no answer. */
  who(cell: number): Promise<{ readonly manager: string; readonly user: string | null } | null>;
  end(): void;
}

/** Something is told every second; after this long without a word the figures on a screen are old. */
export const SILENT_AFTER_MS = 4_000;
/** A connection that is silent for so long is dialled anew. */
const GIVE_UP_AFTER_MS = 12_000;
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 5_000;
const WHO_PATIENCE_MS = 2_000;
/** Codes of problems that another attempt cannot change. */
const FINAL: ReadonlySet<string> = new Set(['unauthorized', 'credential-expired', 'forbidden', 'origin-denied', 'upgrade-required']);

type Who = { readonly manager: string; readonly user: string | null } | null;

/** The operators' live connection, dialled anew for as long as somebody wants it. What is watched is asked for again after every loss; the first
 *  update of a watch is always a whole one. Needs a global `WebSocket`: browsers, and Node from 22. */
export class LiveConnection {
  readonly #options: LiveOptions;
  readonly #watches = new Map<number, { topic: LiveTopic; readonly handlers: WatchHandlers }>();
  readonly #asked = new Map<string, (who: Who) => void>();
  readonly #listeners = new Set<() => void>();
  #state: LiveState = { name: 'connecting' };
  #welcome: LiveWelcome | null = null;
  #socket: WebSocket | null = null;
  #isWelcome = false;
  #failures = 0;
  #lostAt: number | null = null;
  #problem: { readonly code: string; readonly detail: string } | null = null;
  #heardAt = 0;
  #lastId = 0;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #silence: ReturnType<typeof setInterval> | null = null;

  constructor(options: LiveOptions) {
    this.#options = options;
    options.page?.addEventListener('visibilitychange', this.#looked);
    this.#dial();
  }

  get state(): LiveState {
    return this.#state;
  }

  /** What the gateway said of itself at the last connection; null before the first. */
  get welcome(): LiveWelcome | null {
    return this.#welcome;
  }

  /** Hears of every change of `state` and `welcome`, until the function that it gives is called. */
  onState(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  watch(topic: LiveTopic, handlers: WatchHandlers): Watch {
    const id = ++this.#lastId;
    const watch = { topic, handlers };
    this.#watches.set(id, watch);
    this.#ask(id);
    return {
      change: (next) => {
        watch.topic = next;
        if (this.#watches.has(id)) this.#ask(id);
      },
      who: (cell) => this.#who(id, cell),
      end: () => {
        if (this.#watches.delete(id)) this.#send({ type: 'unwatch', id });
      },
    };
  }

  /** Ends the connection for good. */
  close(): void {
    this.#options.page?.removeEventListener('visibilitychange', this.#looked);
    this.#hangUp();
    this.#become({ name: 'closed' });
    this.#listeners.clear();
  }

  get #isLookedAt(): boolean {
    return this.#options.page === undefined || this.#options.page.visibilityState !== 'hidden';
  }

  readonly #looked = (): void => {
    if (this.#state.name === 'refused' || this.#state.name === 'closed') return;
    if (!this.#isLookedAt) {
      for (const id of this.#watches.keys()) this.#send({ type: 'unwatch', id });
      this.#clearRetry();
      this.#become({ name: 'resting' });
      return;
    }
    this.#failures = 0;
    if (this.#socket === null) this.#dial();
    else if (this.#isWelcome) this.#watchAll();
    else this.#become({ name: 'connecting' });
  };

  #dial(): void {
    this.#clearRetry();
    this.#problem = null;
    this.#isWelcome = false;
    this.#become(this.#lostAt === null || this.#state.name === 'resting' ? { name: 'connecting' } : this.#state);
    const address = `${this.#options.url.replace(/\/+$/, '').replace(/^http/, 'ws')}${ADMIN_PATH}/live`;
    let socket: WebSocket;
    try {
      socket = new WebSocket(address, LIVE_PROTOCOL);
    } catch (error) {
      this.#become({ name: 'refused', code: 'bad-request', detail: `Expected the address of a gateway, got ${address}: ${(error as Error).message}` });
      return;
    }
    this.#socket = socket;
    this.#heard();
    socket.onopen = () => this.#send({ type: 'auth', key: this.#options.key }, true);
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket && typeof data === 'string') this.#read(JSON.parse(data) as LiveMessage);
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket === socket) this.#lost(reason === '' ? `the connection ended with ${code}` : reason);
    };
    this.#silence ??= setInterval(() => this.#listen(), 500);
  }

  #read(message: LiveMessage): void {
    this.#heard();
    switch (message.type) {
      case 'welcome':
        this.#welcome = message;
        this.#isWelcome = true;
        this.#failures = 0;
        this.#lostAt = null;
        if (this.#isLookedAt) this.#watchAll();
        else this.#become({ name: 'resting' });
        return;
      case 'update':
        this.#watches.get(message.id)?.handlers.update(message.data);
        return;
      case 'who': {
        const key = `${message.id}:${message.cell}`;
        this.#asked.get(key)?.(message.manager === null ? null : { manager: message.manager, user: message.user });
        return;
      }
      case 'still':
        // What is shown is still true; that it came is all it says.
        return;
      case 'problem':
        if (message.id !== null) this.#watches.get(message.id)?.handlers.problem?.(message.code, message.detail);
        else this.#problem = message;
        return;
    }
  }

  #watchAll(): void {
    for (const id of this.#watches.keys()) this.#ask(id);
    this.#become({ name: 'live' });
  }

  #ask(id: number): void {
    const watch = this.#watches.get(id);
    if (watch !== undefined && this.#isLookedAt) this.#send({ type: 'watch', id, topic: watch.topic });
  }

  #who(id: number, cell: number): Promise<Who> {
    const key = `${id}:${cell}`;
    return new Promise((resolve) => {
      const answer = (who: Who): void => {
        clearTimeout(timer);
        if (this.#asked.get(key) === answer) this.#asked.delete(key);
        resolve(who);
      };
      const timer = setTimeout(() => answer(null), WHO_PATIENCE_MS);
      this.#asked.get(key)?.(null);
      this.#asked.set(key, answer);
      this.#send({ type: 'who', id, cell });
    });
  }

  #send(request: LiveRequest, before = false): void {
    if (this.#socket?.readyState === 1 && (before || this.#isWelcome)) this.#socket.send(JSON.stringify(request));
  }

  #heard(): void {
    this.#heardAt = Date.now();
    if (this.#state.name === 'silent') this.#become({ name: 'live' });
  }

  /** Notices a connection that is open and says nothing. */
  #listen(): void {
    if (this.#socket === null || !this.#isLookedAt || (this.#isWelcome && this.#watches.size === 0)) {
      this.#heardAt = Date.now();
      return;
    }
    const quietMs = Date.now() - this.#heardAt;
    if (quietMs >= GIVE_UP_AFTER_MS) this.#lost(`nothing came for ${Math.round(quietMs / 1_000)} s`);
    else if (quietMs >= SILENT_AFTER_MS && this.#state.name === 'live') this.#become({ name: 'silent', since: this.#heardAt });
  }

  #lost(detail: string): void {
    this.#drop();
    if (this.#problem !== null && FINAL.has(this.#problem.code)) {
      this.#hangUp();
      this.#become({ name: 'refused', code: this.#problem.code, detail: this.#problem.detail });
      return;
    }
    this.#lostAt ??= this.#heardAt;
    if (!this.#isLookedAt) {
      this.#become({ name: 'resting' });
      return;
    }
    const bound = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** this.#failures++);
    const delayMs = bound / 2 + (Math.random() * bound) / 2;
    this.#retry = setTimeout(() => this.#dial(), delayMs);
    this.#become({ name: 'lost', since: this.#lostAt, retryAt: Date.now() + delayMs, detail: this.#problem?.detail ?? detail });
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#isWelcome = false;
    socket?.close();
  }

  #hangUp(): void {
    this.#clearRetry();
    if (this.#silence !== null) clearInterval(this.#silence);
    this.#silence = null;
    this.#drop();
    for (const answer of [...this.#asked.values()]) answer(null);
  }

  #clearRetry(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }

  #become(state: LiveState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}
