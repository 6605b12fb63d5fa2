import type { Admission, Retry, Seated } from '../../src/managers/admission/admission.ts';
import { sayGoodbye } from '../../src/managers/delivery/farewell.ts';
import type { WebSocketManagerFactory } from '../../src/managers/factory.ts';
import type { TransportListener } from '../../src/ports/transport.ts';
import { CLOSE, closeFor } from '../../src/protocol/close-codes.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { parseClientFrame } from '../../src/protocol/parse.ts';
import { writeFrame } from '../../src/protocol/write.ts';
import type { Hello } from './client-world.ts';
import type { VirtualConnection } from './virtual-transport.ts';

/** How one attempt went, as the door saw it. */
export interface Attempt {
  readonly client: { readonly name: string; readonly traits: { readonly user: UserId } };
  readonly hello: Hello;
  decided(admission: Admission): void;
  /** It waited, and its waiting has ended. */
  ended(end: Seated | Retry): void;
  rejected(error: unknown): void;
  left(): void;
}

/** What stands between a socket and the factory, as a gateway does: it asks for a seat, tells `queued`, `ready` or `bye`, and hands on
 *  what the client says. `attended` false: it leaves the seated client's frames to the factory. */
export async function serve(
  factory: WebSocketManagerFactory,
  connection: VirtualConnection,
  attempt: Attempt,
  o: { readonly tier: string; readonly attended: boolean },
): Promise<void> {
  const { client, hello } = attempt;
  const leaving = new AbortController();
  const desk = new Desk(factory, connection, leaving);
  connection.listen(desk);
  let admission: Admission;
  try {
    admission = await factory.createManager(
      { userId: client.traits.user, tier: o.tier, requestId: client.name, websocketClientId: client.name },
      {
        transport: connection,
        attended: o.attended,
        ...(o.attended ? { closed: desk.gone } : {}),
        intent: hello.intent,
        visibility: hello.visibility,
        signal: leaving.signal,
        promise: hello.promise,
        client: { name: 'simulated', label: client.name },
        ...(hello.resume === null ? {} : { resume: hello.resume }),
      },
    );
  } catch (error) {
    attempt.rejected(error);
    sayGoodbye(connection, { close: CLOSE.internalError });
    return;
  }
  attempt.decided(admission);
  const end = admission.kind === 'queued' ? await wait(factory, connection, admission, leaving.signal, attempt, o.attended) : admission;
  if (end === null) {
    attempt.left();
    return;
  }
  if (end.kind === 'retry') {
    sayGoodbye(connection, {
      close: closeFor(end.reason),
      reason: end.reason,
      retryAfterMs: end.retryAfterMs,
      manager: hello.resume?.manager ?? end.manager,
      ...(end.promise === null ? {} : { resumeToken: end.promise }),
    });
    return;
  }
  const { manager, attachment } = end;
  // Its close was told to us; whoever listens now is not told again.
  if (attachment !== null && desk.isGone) factory.transportClosed(manager, attachment);
  if (attachment === null || attachment.ended) {
    if (desk.isGone && end.resume === 'fresh') await factory.leave(manager, 'client-closed');
    return;
  }
  if (desk.hasLeft) {
    await factory.leave(manager, 'client-closed');
    return;
  }
  manager.noteLimits(end.limits);
  attachment.send({
    type: 'ready',
    manager: manager.id,
    resumeToken: String(manager.serial),
    resumeWindowMs: factory.options.resume.windowMs,
    resume: end.resume,
    seat: end.seat,
    limits: end.limits,
  });
  if (o.attended) desk.converse(end);
}

async function wait(
  factory: WebSocketManagerFactory,
  connection: VirtualConnection,
  queued: Extract<Admission, { kind: 'queued' }>,
  signal: AbortSignal,
  attempt: Attempt,
  isAttended: boolean,
): Promise<Seated | Retry | null> {
  const tell = ({ position, of, etaMs, deadlineMs }: Pick<typeof queued, 'position' | 'of' | 'etaMs' | 'deadlineMs'>): void =>
    connection.send([writeFrame({ type: 'queued', position, of, etaMs: Math.round(etaMs), deadlineMs })]);
  tell(queued);
  queued.onPlace(tell);
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const outcome = queued.outcome.then(
    (end) => {
      if (signal.aborted) {
        // It was seated in the moment in which it left; only we know that its socket has gone.
        if (!isAttended && end.kind === 'seated' && end.attachment !== null) factory.transportClosed(end.manager, end.attachment);
        return null;
      }
      attempt.ended(end);
      return end;
    },
    (error: unknown) => {
      attempt.rejected(error);
      sayGoodbye(connection, { close: CLOSE.internalError });
      return null;
    },
  );
  return await Promise.race([outcome, aborted]);
}

/** Listens to one socket from its opening to its end. */
class Desk implements TransportListener {
  readonly gone: Promise<void>;
  hasLeft = false;
  isGone = false;
  readonly #factory: WebSocketManagerFactory;
  readonly #connection: VirtualConnection;
  readonly #leaving: AbortController;
  #seated: Seated | null = null;
  #tellGone = (): void => {};

  constructor(factory: WebSocketManagerFactory, connection: VirtualConnection, leaving: AbortController) {
    this.#factory = factory;
    this.#connection = connection;
    this.#leaving = leaving;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  converse(seated: Seated): void {
    this.#seated = seated;
    seated.attachment?.inOrder(() => seated.attachment?.arrived());
    if (this.isGone) this.#lost();
  }

  message(text: string): void {
    const parsed = parseClientFrame(text);
    if (parsed.is !== 'frame') return;
    const { frame } = parsed;
    const attachment = this.#seated?.attachment;
    if (frame.type === 'bye') this.#leave(frame.reason);
    if (this.#seated === null || attachment == null || attachment.ended) return;
    this.#seated.manager.confirmed = true;
    if (frame.type === 'ack') {
      if (attachment.acknowledged(frame.sub, frame.offset) === 'ahead') sayGoodbye(this.#connection, { close: CLOSE.ackAhead });
    } else if (frame.type === 'probe-ok') attachment.probeAnswered(frame.n, frame.visibility);
    else if (frame.type === 'subscribe') attachment.subscribe(frame);
    else if (frame.type === 'unsubscribe') attachment.unsubscribe(frame.sub);
    else if (frame.type === 'visibility') attachment.seen(frame.state);
    else if (frame.type === 'send') attachment.requested();
  }

  #leave(reason: 'left' | 'parked'): void {
    this.hasLeft = true;
    this.#leaving.abort('left');
    this.#connection.end(1000, '');
    const manager = this.#seated?.manager;
    // Where the store cannot be told, the seat's lease ends by itself.
    if (manager && this.#seated?.attachment?.ended === false) this.#factory.leave(manager, reason === 'parked' ? 'parked' : 'client-closed').catch(() => {});
  }

  binary(): void {}
  pong(nonce: Uint8Array): void {
    this.#seated?.attachment?.ponged(nonce);
  }
  drained(): void {
    this.#seated?.attachment?.drained();
  }

  closed(): void {
    this.isGone = true;
    this.#tellGone();
    this.#leaving.abort('left');
    this.#lost();
  }

  #lost(): void {
    const { manager, attachment } = this.#seated ?? {};
    if (manager && attachment) this.#factory.transportClosed(manager, attachment);
  }
}
