/** The client's public face: it puts the parts together and owns no behaviour of its own. */

import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import { isThreadId } from '../protocol/ids.ts';
import type { Limits, Notice, SessionInfo, ThreadSnapshot } from '../protocol/messages.ts';
import { Cancels } from './cancels.ts';
import { Connection } from './connection.ts';
import { Credentials } from './credentials.ts';
import { Emitter } from './emitter.ts';
import { badArgument, refusal } from './errors.ts';
import { httpTo } from './http.ts';
import { Inbox } from './inbox.ts';
import { ManagerLock } from './lock.ts';
import { lastingNotices, withNotice } from './notices.ts';
import { Outbox } from './outbox.ts';
import { Page } from './page.ts';
import { settingsOf } from './settings.ts';
import { Drawer, type ResumeClaim } from './storage.ts';
import { ClientThread } from './thread.ts';
import type { ClientEvents, ClientOptions, ClientState, SpillwayClient, Thread } from './types.ts';

/** Makes a client: one manager, one seat, however many threads. Nothing is dialled before `connect()`, the first listener or the
 *  first message. Throws a `SpillwayError` for options that cannot work. */
export function createSpillway(options: ClientOptions): SpillwayClient {
  return new Client(options);
}

class Client implements SpillwayClient {
  readonly #events = new Emitter();
  readonly #threads = new Map<string, ClientThread>();
  readonly #lock = new ManagerLock();
  readonly #drawer: Drawer;
  readonly #snapshot: (thread: string) => Promise<ThreadSnapshot>;
  readonly #connection: Connection;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #cancels: Cancels;
  readonly #page: Page;
  #limits: Limits | null = null;
  #notices: readonly Notice[] = [];
  readonly sessions: SpillwayClient['sessions'];

  constructor(options: ClientOptions) {
    const settings = settingsOf(options);
    this.#drawer = new Drawer(settings);
    const credentials = new Credentials(options);
    const { emit } = this.#events;
    const send = (frame: ClientFrame): boolean => this.#connection.send(frame);
    const ask = httpTo({
      url: () => credentials.currentUrl(),
      token: (reason) => (reason === 'rejected' ? credentials.token(reason) : credentials.current()),
      manager: () => this.#drawer.kept.resume?.manager ?? null,
    });
    this.#page = new Page({
      parkAfterHiddenMs: settings.parkAfterHiddenMs,
      visibility: (state) => this.#connection.sendEarly({ type: 'visibility', state }),
      woke: () => this.#connection.wake(),
      personActed: () => this.#personActed(),
      mayPark: () => this.state.name === 'live' && !this.#inbox.hasRuns && this.#outbox.pending().length === 0,
      park: () => this.#connection.park(),
    });
    this.#connection = new Connection(settings, credentials, {
      visibility: () => this.#page.visibility,
      claim: () => this.#claim(),
      keep: (resume) => this.#keepClaim(resume),
      resumeSubs: () => this.#inbox.resumeSubs(),
      emit,
      frame: (frame, bytes) => this.#receive(frame, bytes),
      lost: () => {
        this.#inbox.lost();
        this.#outbox.lost();
      },
    });
    this.#snapshot = (thread) => ask('GET', `threads/${encodeURIComponent(thread)}/messages`);
    this.#inbox = new Inbox({
      send,
      snapshot: this.#snapshot,
      emit,
    });
    this.#cancels = new Cancels(send);
    this.#outbox = new Outbox({
      ...settings.outbox,
      send,
      keep: (outbox) => this.#drawer.put({ outbox }),
      emit,
    });
    const { outbox, user } = this.#drawer.kept;
    this.#outbox.restore(outbox, user);
    this.sessions = {
      list: async () => (await ask<{ sessions: SessionInfo[] }>('GET', 'me/sessions')).sessions,
      free: (id) => ask('DELETE', `me/sessions/${encodeURIComponent(id)}`),
      freeUnresponsive: () => ask('POST', 'me/sessions/free-unresponsive', {}),
    };
  }

  get state(): ClientState {
    return this.#connection.state;
  }

  get limits(): Limits | null {
    return this.#limits;
  }

  get notices(): readonly Notice[] {
    return this.#notices;
  }

  connect(): Promise<void> {
    this.#outbox.open();
    this.#page.enter();
    return this.#connection.act();
  }

  resume(): Promise<void> {
    return this.connect();
  }

  async close(): Promise<void> {
    this.#page.leave();
    const closed = this.#connection.close();
    this.#inbox.end();
    this.#cancels.close();
    this.#outbox.close();
    this.#lock.release();
    await closed;
  }

  /** In runtimes without `Symbol.asyncDispose` this is a method that nobody calls. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  thread(id: string): Thread {
    if (!isThreadId(id)) throw badArgument(`Expected a thread id of 1 to 128 letters, digits or "._:-", got ${JSON.stringify(id)}.`);
    let thread = this.#threads.get(id);
    if (thread === undefined) {
      thread = new ClientThread(id, {
        inbox: this.#inbox,
        outbox: this.#outbox,
        cancels: this.#cancels,
        snapshot: this.#snapshot,
        wanted: () => this.#wanted(),
        acted: () => this.#sent(),
        whenRefused: (end) => {
          const look = (): unknown => this.#connection.refusal && end(this.#connection.refusal);
          look();
          return this.on('state', look);
        },
        emit: this.#events.emit,
      });
      this.#threads.set(id, thread);
    }
    return thread;
  }

  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void, options: { readonly signal?: AbortSignal } = {}): () => void {
    return this.#events.on(name, listener, options.signal);
  }

  #receive(frame: ServerFrame, bytes: number): void {
    // Frames of a later version are not for us, nor those that the connection has dealt with.
    if (this.#inbox.receive(frame, bytes)) return;
    const { type: _, ...body } = frame;
    if (frame.type === 'welcome') {
      this.#drawer.put({ user: frame.user.id });
      this.#inbox.welcome(frame);
      this.#outbox.welcome(frame);
    } else if (frame.type === 'ready') {
      this.#notices = lastingNotices(this.#notices);
      this.#setLimits(frame.limits);
      this.#inbox.ready();
      this.#cancels.ready();
      this.#outbox.ready();
    } else if (frame.type === 'probe') {
      this.#connection.send({ type: 'probe-ok', n: frame.n, visibility: this.#page.visibility });
    } else if (frame.type === 'run-accepted') {
      this.#inbox.noteRun(frame.thread, frame.run);
      this.#outbox.accepted(frame);
    } else if (frame.type === 'cancelled') this.#cancels.answered(frame.run);
    else if (frame.type === 'limits') this.#setLimits(body as Limits);
    else if (frame.type === 'notice') {
      this.#notices = withNotice(this.#notices, body as Notice);
      this.#events.emit('notice', body as Notice);
    } else if (frame.type === 'error' && !this.#outbox.refused(frame) && !this.#cancels.refused(frame)) this.#events.emit('error', refusal(frame));
  }

  #setLimits(limits: Limits): void {
    this.#limits = limits;
    this.#events.emit('limits', limits);
  }

  /** Somebody listens: that alone is a reason to connect the first time, but not to come back. */
  #wanted(): void {
    if (this.state.name === 'idle') void this.connect();
  }

  /** A message is something a person did; while the gateway has named a time, or waits for the person, it is the sign to come back. */
  #sent(): void {
    const { state } = this;
    const waitsForPerson = 'retryInMs' in state && state.retryInMs > 0 && state.info?.return === 'after';
    if (state.name === 'idle' || waitsForPerson) void this.connect();
    else this.#personActed();
  }

  #personActed(): void {
    if (this.state.name === 'superseded' || this.state.name === 'parked') void this.connect();
  }

  async #claim(): Promise<ResumeClaim | null> {
    const { resume } = this.#drawer.kept;
    // Held by the tab that this one is a copy of: it keeps its manager, we get one of our own.
    return resume !== null && (await this.#lock.take(resume.manager, true)) ? resume : null;
  }

  #keepClaim(resume: ResumeClaim | null): void {
    this.#drawer.put({ resume });
    if (resume !== null) void this.#lock.take(resume.manager, false);
  }
}
