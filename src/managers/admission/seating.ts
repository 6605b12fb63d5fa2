import type { SpillwayEvents } from '../../ports/events.ts';
import type { SeatFacts } from '../../ports/store.ts';
import { closeFor, closeReasonIn } from '../../protocol/close-codes.ts';
import type { ManagerId } from '../../protocol/ids.ts';
import type { ReasonCode } from '../../protocol/reasons.ts';
import { cleanedUpNotice } from '../../protocol/texts.ts';
import type { Context } from '../context.ts';
import type { Attachment } from '../delivery/attachment.ts';
import { BareWire } from '../delivery/bare-wire.ts';
import { sayGoodbye } from '../delivery/farewell.ts';
import type { CleanupReport } from '../events.ts';
import { deepestLevel } from '../inspection/counters.ts';
import { WebSocketManager } from '../manager.ts';
import type { Notifier } from '../notify.ts';
import type { Seated } from './admission.ts';
import type { Ending, Guest } from './attempt.ts';

interface SeatingDeps {
  readonly notifier: Notifier;
  leave(manager: WebSocketManager, reason: 'client-closed' | 'parked'): Promise<void>;
  transportClosed(manager: WebSocketManager, attachment: Attachment): void;
}

/** What a seat becomes: a manager that is born, or found again, with its guest's transport. Nothing here awaits. */
export class Seating {
  readonly #context: Context;
  readonly #deps: SeatingDeps;
  #created = 0;

  constructor(context: Context, deps: SeatingDeps) {
    this.#context = context;
    this.#deps = deps;
  }

  /** Managers made so far. */
  get created(): number {
    return this.#created;
  }

  /** Gives the manager of a seat that the store has just given the guest's transport. */
  seat(id: ManagerId, end: Extract<Ending, { is: 'seated' }>, guest: Guest): Seated {
    const { user, request, socket } = guest;
    const isReturning = request.resume?.manager === id;
    const known = this.#context.registry.find(id);
    if (known && known.user.userId === user.userId && known.seat !== null) {
      // Another attempt under this id was seated while this one was on its way: it is taken over.
      known.reseated(end.seat);
      return this.attach(known, end.facts, guest, end.how === 'reattach' ? 'attached' : 'readmitted', end.how);
    }
    const manager = new WebSocketManager(this.#context, id, user, request.visibility ?? 'unknown');
    if (request.client) manager.client = request.client;
    // Serials go on where the client's token stands, so that this token still leads here should `ready` be lost.
    if (isReturning) manager.serial = request.resume?.serial ?? 0;
    this.#context.registry.add(manager);
    manager.seated(end.seat, request.transport && socket ? { transport: request.transport, socket } : null, request.visibility);
    if (request.attended === true) manager.attachment?.arrive();
    else this.#attend(manager);
    this.#created++;
    this.#context.changed(user.userId);
    const limits = this.#deps.notifier.limits(user.userId, user.tier, end.facts);
    const resume = !isReturning ? 'fresh' : end.how === 'reattach' ? 'attached' : 'readmitted';
    const seated: Seated = { kind: 'seated', manager, attachment: manager.attachment, seat: end.seat.kind, resume, how: end.how, limits };
    this.#tellSeated(seated, guest, resume === 'attached' ? 'taken-over' : resume);
    if (manager.attachment && user.threadId !== undefined && request.attended !== true) manager.follow(user.threadId);
    // After `ready`, which its owner sends in this turn.
    if (end.seat.kind === 'burst') this.#context.clock.soon(() => this.#deps.notifier.urgent(user.userId, end.facts));
    if (end.freed !== null) this.#tellCleanedUp(manager, end.freed);
    return seated;
  }

  /** Gives a seated manager the guest's transport. An older one is fenced first, then told. */
  attach(manager: WebSocketManager, facts: SeatFacts | null, guest: Guest, resume: Seated['resume'], how: Seated['how']): Seated {
    const { user, request, socket } = guest;
    const positions = manager.attachment?.positions() ?? [];
    if (request.resume?.manager === manager.id) manager.serial = Math.max(manager.serial, request.resume.serial);
    const old = request.transport && socket ? manager.reattach(request.transport, socket, request.visibility) : null;
    if (request.client) manager.client = request.client;
    if (request.attended !== true) this.#attend(manager);
    if (old) {
      // Never two transports on one manager; the old one may be half-open, so nothing waits for it.
      sayGoodbye(old.transport, { close: closeFor('superseded'), reason: 'superseded', positions, manager: manager.id, label: manager.client.label });
      old.socket.terminate(this.#context.options.cleanup.lingerForceMs);
    }
    this.#context.changed(user.userId);
    const limits = this.#deps.notifier.limits(user.userId, user.tier, facts);
    const seated: Seated = { kind: 'seated', manager, attachment: manager.attachment, seat: manager.seat?.kind ?? 'soft', resume, how, limits };
    this.#tellSeated(seated, guest, 'attached');
    return seated;
  }

  /** `as`: `attached` where it held its seat here before, whatever its client is told. */
  #tellSeated({ manager, seat, resume, how }: Seated, { askedAt, request }: Guest, as: SpillwayEvents['manager-seated']['resume']): void {
    const { events } = this.#context;
    const { userId, tier } = manager.user;
    const who = { managerId: manager.id, user: userId, tier };
    events.emit('manager-seated', { ...who, seat, resume: as, how });
    // A gateway tells of returns itself, since it knows from where its client's threads go on.
    if (request.resume === undefined || request.attended === true) return;
    events.emit('resumed', { ...who, result: resume === 'fresh' ? 'expired' : resume, durationMs: Math.round(this.#context.mono() - askedAt) });
  }

  #attend(manager: WebSocketManager): void {
    const { attachment } = manager;
    if (!attachment) return;
    const { events } = this.#context;
    const of = { managerId: manager.id, user: manager.user.userId };
    events.emit('transport-opened', of);
    attachment.transport.listen(
      new BareWire(manager, attachment, {
        left: (reason) => {
          this.#deps
            .leave(manager, reason)
            .catch((error: unknown) => this.#context.telemetry.record({ severity: 'WARNING', event: 'release-failed', message: String(error) }));
        },
        closed: (code, reason) => {
          events.emit('transport-closed', { ...of, code, reason: closeReasonIn(reason) });
          this.#deps.transportClosed(manager, attachment);
        },
      }),
    );
  }

  #tellCleanedUp(manager: WebSocketManager, cleanup: CleanupReport): void {
    const reasons: Partial<Record<ReasonCode, number>> = {};
    for (const victim of cleanup.victims) reasons[victim.reason] = (reasons[victim.reason] ?? 0) + 1;
    const level = deepestLevel(cleanup);
    this.#context.clock.soon(() =>
      this.#deps.notifier.one(manager, cleanedUpNotice({ freed: cleanup.victims.length, level, durationMs: cleanup.durationMs, reasons })),
    );
  }
}
