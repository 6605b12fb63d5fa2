import { type Mono, mono } from '../../core/clocks.ts';
import type { Options } from '../../core/options.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QuarantinedSocket } from '../../ports/events.ts';
import type { Telemetry } from '../../ports/telemetry.ts';
import type { Transport } from '../../ports/transport.ts';
import type { ManagerId, UserId } from '../../protocol/ids.ts';
import { bestEffort } from '../delivery/farewell.ts';

/** `closing`: told to end, and its close has not been seen. `quarantined`: nor was it seen in time. */
export type SocketState = 'open' | 'closing' | 'quarantined';

/** A transport as it is counted: from its real opening to its real close, whatever became of its seat. */
export interface CountedSocket {
  /** It carries this manager from now on. */
  carries(manager: ManagerId): void;
  /** Its close event came. */
  gone(): void;
  /** Ends it, at once or `lingerMs` from now. A socket whose close is not seen in time is quarantined and destroyed again. */
  terminate(lingerMs: number): void;
}

/** One socket of a user, for whoever compares records. */
export interface SocketRecord {
  readonly user: UserId;
  /** Whom it carries or has carried; null while its admission is undecided. */
  readonly manager: ManagerId | null;
  readonly transport: Transport;
  readonly state: SocketState;
  /** How long it has been in this state. */
  readonly forMs: number;
  /** As `CountedSocket.terminate`. */
  terminate(lingerMs: number): void;
}

/** Sockets above the hard limit that a user's farewells may hold for a while. */
const SPARE_SOCKETS = 10;

/** Sockets live apart from seats and are counted apart, so that no freed seat with a live socket can hide. */
export class Sockets {
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onQuarantined: (socket: QuarantinedSocket) => void;
  readonly #perUser = new Map<UserId, Set<Socket>>();
  readonly #quarantinedBy = new Map<UserId, number>();
  #open = 0;
  #quarantined = 0;

  constructor(options: Options, clock: Clock, telemetry: Telemetry, onQuarantined: (socket: QuarantinedSocket) => void = () => {}) {
    this.#options = options;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#onQuarantined = onQuarantined;
  }

  /** Sockets that are really open, of all users. */
  get open(): number {
    return this.#open;
  }
  /** Of them: terminated, and their close was not seen in time. */
  get quarantined(): number {
    return this.#quarantined;
  }
  of(user: UserId): number {
    return this.#perUser.get(user)?.size ?? 0;
  }
  quarantinedOf(user: UserId): number {
    return this.#quarantinedBy.get(user) ?? 0;
  }

  /** Users whose sockets refuse to close and are more than their hard limit and ten. A node that has any takes nobody in. */
  get crowded(): number {
    let users = 0;
    for (const user of this.#quarantinedBy.keys()) if (this.of(user) > this.#most) users++;
    return users;
  }

  /** Users that have sockets. */
  get users(): IterableIterator<UserId> {
    return this.#perUser.keys();
  }

  /** A user's sockets, oldest first. */
  list(user: UserId): readonly SocketRecord[] {
    return [...(this.#perUser.get(user) ?? [])].map((socket) => socket.record);
  }

  get #most(): number {
    const { perUser, burst } = this.#options.limits;
    return Math.max(perUser, burst.perUser) + SPARE_SOCKETS;
  }

  count(user: UserId, transport: Transport): CountedSocket {
    const socket = new Socket(user, transport, this.#options, this.#clock, {
      gone: () => this.#forget(socket),
      quarantined: () => this.#quarantine(socket),
    });
    const own = this.#perUser.get(user) ?? new Set();
    this.#perUser.set(user, own.add(socket));
    this.#open++;
    if (own.size > this.#most) this.#hurry(own);
    return socket;
  }

  /** Farewells end early where they would be too many: the oldest first. */
  #hurry(own: ReadonlySet<Socket>): void {
    const lingering = [...own].filter((socket) => socket.lingersSince !== null).sort((a, b) => (a.lingersSince as Mono) - (b.lingersSince as Mono));
    for (const socket of lingering.slice(0, own.size - this.#most)) socket.terminate(0);
  }

  #forget(socket: Socket): void {
    const { user } = socket;
    this.#open--;
    const own = this.#perUser.get(user);
    own?.delete(socket);
    if (own?.size === 0) this.#perUser.delete(user);
    if (socket.state !== 'quarantined') return;
    this.#quarantined--;
    const left = this.quarantinedOf(user) - 1;
    if (left === 0) this.#quarantinedBy.delete(user);
    else this.#quarantinedBy.set(user, left);
  }

  #quarantine({ user, manager }: Socket): void {
    this.#quarantined++;
    const quarantined = this.quarantinedOf(user) + 1;
    this.#quarantinedBy.set(user, quarantined);
    this.#telemetry.record({
      severity: 'WARNING',
      event: 'transport-quarantined',
      message: 'A socket that was terminated has not closed; it is destroyed again until it has. Its seat is free.',
      user,
      manager,
    });
    this.#onQuarantined({ user, managerId: manager, quarantined });
  }
}

class Socket implements CountedSocket {
  readonly user: UserId;
  readonly #transport: Transport;
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #on: { gone(): void; quarantined(): void };
  #manager: ManagerId | null = null;
  #state: SocketState | 'gone' = 'open';
  #since: Mono;
  #lingers = false;
  #cancel: () => void = () => {};

  constructor(user: UserId, transport: Transport, options: Options, clock: Clock, on: { gone(): void; quarantined(): void }) {
    this.user = user;
    this.#transport = transport;
    this.#options = options;
    this.#clock = clock;
    this.#on = on;
    this.#since = mono(clock.mono());
  }

  get manager(): ManagerId | null {
    return this.#manager;
  }
  get state(): SocketState | 'gone' {
    return this.#state;
  }
  /** Since when it takes its farewell; null if it does not. */
  get lingersSince(): Mono | null {
    return this.#lingers ? this.#since : null;
  }

  get record(): SocketRecord {
    const forMs = Math.round(this.#clock.mono() - this.#since);
    const { user, manager } = this;
    return { user, manager, transport: this.#transport, state: this.#state as SocketState, forMs, terminate: (lingerMs) => this.terminate(lingerMs) };
  }

  carries(manager: ManagerId): void {
    this.#manager = manager;
  }

  gone(): void {
    if (this.#state === 'gone') return;
    this.#cancel();
    this.#on.gone();
    this.#become('gone');
  }

  terminate(lingerMs: number): void {
    if (this.#state === 'open') this.#become('closing');
    // Whoever lingers may be told to hurry.
    else if (!this.#lingers || lingerMs > 0) return;
    this.#cancel();
    this.#lingers = lingerMs > 0;
    if (this.#lingers) this.#cancel = this.#clock.after(lingerMs, this.#destroy);
    else this.#destroy();
  }

  #become(state: SocketState | 'gone'): void {
    this.#state = state;
    this.#since = mono(this.#clock.mono());
  }

  readonly #destroy = (): void => {
    this.#lingers = false;
    // One that throws has not closed, and is destroyed again.
    bestEffort(() => this.#transport.terminate());
    // Its close may have come in this very call.
    if (this.#state === 'gone') return;
    const { proofMs, quarantineRetryMs } = this.#options.cleanup;
    this.#cancel = this.#clock.after(this.#state === 'quarantined' ? quarantineRetryMs : proofMs, this.#prove);
  };

  readonly #prove = (): void => {
    if (this.#state !== 'quarantined') {
      this.#become('quarantined');
      this.#on.quarantined();
    }
    this.#destroy();
  };
}
