import { returnOf } from '../../src/protocol/close-codes.ts';
import type { Intent, ServerFrame } from '../../src/protocol/frames.ts';
import type { ManagerId } from '../../src/protocol/ids.ts';
import type { Visibility } from '../../src/protocol/messages.ts';
import type { ClientTraits, ClientWorld, Hello } from './client-world.ts';
import type { ClientEnd } from './network.ts';
import { returnDelayMs } from './returning.ts';
import { ThreadReader } from './thread-reader.ts';
import { VirtualConnection } from './virtual-transport.ts';

export type ClientState = 'away' | 'dialing' | 'queued' | 'ready' | 'coming-back' | 'superseded' | 'left' | 'failed';

const CALM_AFTER_MS = 5_000;
const AWAKE_MS = 20;

/** A conforming page: it follows one thread, applies events in order, acknowledges after it has applied them, answers probes in the
 *  same handler, comes back as close codes say. Faults make it the corpse, the sleeper or the snail that it is in the field. */
export class SimulatedClient implements ClientEnd {
  readonly traits: ClientTraits;
  /** What it reads of its conversation. */
  readonly reader: ThreadReader;
  readonly #world: ClientWorld;
  state: ClientState = 'away';
  visibility: Visibility = 'visible';
  /** The application does nothing. */
  isFrozen = false;
  /** What is below the application answers, whatever becomes of it. */
  answersPings = true;
  /** Bytes are taken off the wire. */
  reads = true;
  connection: VirtualConnection | null = null;
  manager: ManagerId | null = null;
  #serial = 0;
  #promise: string | null = null;
  #inbox: string[] = [];
  #isBusy = false;
  #failures = 0;
  #heardAt = 0;
  #cancelRetry: () => void = () => {};
  #bye: { code: number; retryAfterMs: number } | null = null;
  /** When it was told that it has a seat. */
  readyAt = 0;
  /** The last thing that went wrong with it or its network. */
  troubledAt = Number.NEGATIVE_INFINITY;

  constructor(traits: ClientTraits, world: ClientWorld) {
    this.traits = traits;
    this.#world = world;
    this.reader = new ThreadReader(this, world);
    if (traits.wakesEveryMs !== null) this.#sleep(traits.wakesEveryMs);
  }

  get name(): string {
    return this.traits.name;
  }
  get answersCloses(): boolean {
    return this.traits.answersCloses && this.answersPings;
  }
  /** Nothing is, or was lately, wrong with it and its network. */
  isWell(forMs: number): boolean {
    return !this.isFrozen && this.reads && this.answersPings && this.connection?.isSilent === false && this.#world.clock.now - this.troubledAt >= forMs;
  }

  // ---- connecting

  /** Dials. `user`: a person asked for it. */
  dial(intent: Intent): void {
    if (this.state === 'left' || this.state === 'failed') return;
    this.#cancelRetry();
    this.#cancelRetry = () => {};
    this.#drop();
    this.state = 'dialing';
    this.#bye = null;
    const connection = new VirtualConnection(this.#world.clock, this.traits.path, {
      frames: (texts) => this.connection === connection && this.frames(texts),
      closed: (code) => this.connection === connection && this.closed(code),
      get answersPings() {
        return self.connection === connection && self.answersPings;
      },
      get answersCloses() {
        return self.connection !== connection || self.answersCloses;
      },
      get reads() {
        return self.connection !== connection || self.reads;
      },
    });
    const self = this;
    this.connection = connection;
    this.#heardAt = this.#world.clock.now;
    const hello: Hello = {
      intent,
      visibility: this.visibility,
      resume: this.manager === null ? null : { manager: this.manager, serial: this.#serial },
      promise: this.#promise,
    };
    this.#world.clock.arrive(this.#world.clock.now + 2 * this.traits.path.delayMs(), () => this.#world.dialed(this, connection, hello));
    this.#listenForSilence(connection);
  }

  /** The dead-man timer: a gateway that says nothing at all is not there. */
  #listenForSilence(connection: VirtualConnection): void {
    const { clock, options } = this.#world;
    clock.world(Math.max(1, this.#heardAt + options.clientTimeoutMs - clock.now), () => {
      if (this.connection !== connection) return;
      if (this.isFrozen || clock.now - this.#heardAt < options.clientTimeoutMs) {
        if (this.isFrozen) clock.world(options.clientTimeoutMs, () => this.connection === connection && this.#listenForSilence(connection));
        else this.#listenForSilence(connection);
        return;
      }
      this.#world.trace(() => `${this.name} heard nothing for ${options.clientTimeoutMs} ms`);
      this.heardNothing?.();
      this.troubledAt = clock.now;
      connection.clientReset();
    });
  }

  /** Told when a connection with a seat ended without a word. */
  cutOff: ((code: number) => void) | null = null;
  /** Told when the dead-man timer fired. */
  heardNothing: (() => void) | null = null;

  #drop(): void {
    const old = this.connection;
    this.connection = null;
    old?.clientReset();
    this.#inbox = [];
    this.reader.end();
  }

  /** The person closes the page. */
  leave(how: 'left' | 'parked' | 'killed'): void {
    const { connection } = this;
    this.#cancelRetry();
    this.#inbox = [];
    if (connection !== null && how !== 'killed' && !this.isFrozen) {
      connection.clientSend(JSON.stringify({ type: 'bye', reason: how }));
      this.connection = null;
      // The gateway closes; whoever does not wait for that resets.
      this.#world.clock.world(500, () => connection.clientReset());
    } else this.#drop();
    this.state = 'left';
  }

  closed(code: number): void {
    const { clock, random } = this.#world;
    const told = this.#bye;
    if (told === null && this.state === 'ready') this.cutOff?.(code);
    this.#world.trace(() => `${this.name} closed ${code}${told === null ? '' : ` after bye ${told.code}`}`);
    if (clock.now - this.readyAt >= CALM_AFTER_MS && this.state === 'ready') this.#failures = 0;
    this.connection = null;
    this.#drop();
    if (this.state === 'left' || this.state === 'failed') return;
    const why = told?.code ?? code;
    const back = returnOf(why);
    if (back === 'never') {
      this.state = 'failed';
      this.#world.violated('conformance', `${this.name} was closed with ${why}, which a conforming client never causes`);
      return;
    }
    if (back === 'user') {
      this.state = 'superseded';
      return;
    }
    this.state = 'coming-back';
    const delayMs = returnDelayMs(back, told?.retryAfterMs ?? null, this.#failures, random);
    if (back === 'now') this.#failures++;
    this.#cancelRetry = clock.world(delayMs, () => {
      if (this.isFrozen) this.#cancelRetry = clock.world(1_000, () => this.dial('auto'));
      else this.dial('auto');
    });
  }

  // ---- reading

  frames(texts: readonly string[]): void {
    this.#heardAt = this.#world.clock.now;
    for (const text of texts) this.#inbox.push(text);
    this.work();
  }

  /** Works off what has come, unless it sleeps. */
  work(): void {
    while (!this.isFrozen && !this.#isBusy && this.connection !== null) {
      const text = this.#inbox.shift();
      if (text === undefined) return;
      this.#heardAt = this.#world.clock.now;
      if (this.traits.frameMs === 0) {
        this.#take(text);
        continue;
      }
      const { connection } = this;
      this.#isBusy = true;
      this.#world.clock.world(this.traits.frameMs, () => {
        this.#isBusy = false;
        if (this.connection === connection && !this.isFrozen) this.#take(text);
        else if (this.connection === connection && connection !== null) this.#inbox.unshift(text);
        this.work();
      });
    }
  }

  /** A page in the background: awake for a moment, then asleep. */
  #sleep(everyMs: number): void {
    const { clock } = this.#world;
    this.isFrozen = true;
    clock.world(everyMs, () => {
      this.isFrozen = false;
      this.work();
      clock.world(AWAKE_MS, () => this.#sleep(everyMs));
    });
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as ServerFrame;
    switch (frame.type) {
      case 'queued':
        this.state = 'queued';
        return;
      case 'ready':
        this.#ready(frame.manager, frame.resumeToken);
        return;
      case 'event':
        this.reader.event(frame, text.length);
        return;
      case 'subscribed':
        this.reader.subscribed(frame.epoch, frame.offset);
        return;
      case 'gap':
        this.reader.gap(frame);
        return;
      case 'probe':
        this.reader.acknowledge();
        this.connection?.clientSend(JSON.stringify({ type: 'probe-ok', n: frame.n, visibility: this.visibility }));
        return;
      case 'bye':
        this.#bye = { code: frame.code, retryAfterMs: frame.retryAfterMs };
        this.#promise = frame.return === 'after' ? (frame.resumeToken ?? null) : null;
        if (frame.return === 'after' && frame.manager !== undefined) this.manager = frame.manager;
        return;
      case 'error':
        if (frame.ref?.type === 'subscribe' && frame.retryable) this.reader.refused(frame.retryAfterMs ?? 1_000);
        return;
      case 'welcome':
      case 'replayed':
      case 'unsubscribed':
      case 'run-accepted':
      case 'cancelled':
      case 'check-ok':
      case 'limits':
      case 'notice':
      case 'token-ok':
      case 'token-expiring':
        return;
    }
  }

  #ready(manager: ManagerId, token: string): void {
    this.state = 'ready';
    this.readyAt = this.#world.clock.now;
    this.manager = manager;
    this.#serial = Number(token);
    this.#promise = null;
    if (this.connection !== null) this.reader.begin(this.connection);
  }

  // ---- a person at the page

  /** Says something that is evidence. */
  say(): void {
    if (this.state === 'ready' && !this.isFrozen)
      this.connection?.clientSend(JSON.stringify({ type: 'send', id: `s${this.#world.clock.now}`, thread: this.traits.thread, data: { text: 'hello' } }));
  }

  show(visibility: Visibility): void {
    this.visibility = visibility;
    if (this.state === 'ready' && !this.isFrozen) this.connection?.clientSend(JSON.stringify({ type: 'visibility', state: visibility }));
  }

  // ---- faults

  freeze(): void {
    this.troubledAt = this.#world.clock.now;
    this.isFrozen = true;
  }

  thaw(): void {
    this.troubledAt = this.#world.clock.now;
    this.isFrozen = false;
    this.work();
  }

  /** The window fills: nothing is read any more, pings are not answered. */
  choke(): void {
    this.troubledAt = this.#world.clock.now;
    this.reads = false;
  }

  gulp(): void {
    this.troubledAt = this.#world.clock.now;
    this.reads = true;
    this.connection?.window();
  }
}
