import type { Options } from '../core/options.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Transport } from '../ports/transport.ts';
import type { UserId } from '../protocol/ids.ts';

type SocketState = 'open' | 'closing' | 'quarantined';

/** A transport as it is counted: from its real opening to its real close, whatever became of its seat. */
export interface CountedSocket {
  /** Its close event came. */
  gone(): void;
  /** Ends it, at once or `lingerMs` from now. A socket whose close is not seen in time is quarantined and destroyed again. */
  terminate(lingerMs: number): void;
}

/** Sockets live apart from seats and are counted apart, so that no freed seat with a live socket can hide. */
export class Sockets {
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #perUser = new Map<UserId, number>();
  #open = 0;
  #quarantined = 0;

  constructor(options: Options, clock: Clock, telemetry: Telemetry) {
    this.#options = options;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  get open(): number {
    return this.#open;
  }
  get quarantined(): number {
    return this.#quarantined;
  }
  of(user: UserId): number {
    return this.#perUser.get(user) ?? 0;
  }

  count(user: UserId, transport: Transport): CountedSocket {
    this.#add(user, 1);
    let state: SocketState | 'gone' = 'open';
    const gone = (): void => {
      if (state === 'gone') return;
      if (state === 'quarantined') this.#quarantined--;
      state = 'gone';
      this.#add(user, -1);
    };
    const destroy = (): void => {
      if (state === 'gone') return;
      transport.terminate();
      this.#clock.after(state === 'quarantined' ? this.#options.cleanup.quarantineRetryMs : this.#options.cleanup.proofMs, prove);
    };
    const prove = (): void => {
      if (state === 'gone') return;
      if (state !== 'quarantined') {
        state = 'quarantined';
        this.#quarantined++;
        this.#telemetry.record({
          severity: 'WARNING',
          event: 'transport-quarantined',
          message: 'A socket that was terminated has not closed; it is destroyed again until it has. Its seat is free.',
        });
      }
      destroy();
    };
    return {
      gone,
      terminate: (lingerMs) => {
        if (state !== 'open') return;
        state = 'closing';
        if (lingerMs <= 0) destroy();
        else this.#clock.after(lingerMs, destroy);
      },
    };
  }

  #add(user: UserId, by: number): void {
    this.#open += by;
    const left = (this.#perUser.get(user) ?? 0) + by;
    if (left === 0) this.#perUser.delete(user);
    else this.#perUser.set(user, left);
  }
}
