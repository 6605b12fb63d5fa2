import type { Identity } from '../../auth/identity.ts';
import { CLOSE, type CloseCode } from '../../protocol/close-codes.ts';
import type { UserId } from '../../protocol/ids.ts';
import type { Services } from '../services.ts';
import { EventStream } from './event-stream.ts';

/** All open event streams of this node, oldest first for each user. */
export class EventStreams {
  readonly #services: Services;
  readonly #byUser = new Map<UserId, EventStream[]>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** A new stream. One more than a user may have ends the user's oldest, which is told so. */
  open(identity: Identity): EventStream {
    const { clock, options } = this.#services;
    const own = this.#byUser.get(identity.user) ?? [];
    this.#byUser.set(identity.user, own);
    const stream = new EventStream({ identity, clock, keepAliveMs: options.health.heartbeatMs, ended: () => this.#remove(stream) });
    own.push(stream);
    if (own.length > options.sse.perUser) own[0]?.bye(CLOSE.takenOver);
    return stream;
  }

  /** Ends the streams of a log-in, or all of the user's for null. */
  endLogin(user: UserId, family: string | null): void {
    for (const stream of [...(this.#byUser.get(user) ?? [])]) {
      if (family === null || stream.identity.family === family) stream.bye(CLOSE.loggedOut);
    }
  }

  endAll(close: CloseCode): void {
    for (const stream of [...this.#byUser.values()].flat()) stream.bye(close);
  }

  #remove(stream: EventStream): void {
    const { user } = stream.identity;
    const left = (this.#byUser.get(user) ?? []).filter((other) => other !== stream);
    if (left.length === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, left);
  }
}
