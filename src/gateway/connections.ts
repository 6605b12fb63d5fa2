import type { Tell } from '../ports/events.ts';
import type { CloseCode } from '../protocol/close-codes.ts';
import { closeReasonIn } from '../protocol/close-codes.ts';
import type { ManagerId, UserId } from '../protocol/ids.ts';
import { disconnectLabels } from '../telemetry/label-sets.ts';
import type { Credential } from './credential.ts';
import type { Line } from './line.ts';

/** A connection whose user is known. */
export interface Connection {
  readonly line: Line;
  readonly credential: Credential;
  /** Null until it has a seat. */
  readonly manager: ManagerId | null;
}
type Open = { -readonly [K in keyof Connection]: Connection[K] };

/** The connections of this gateway, for what concerns all of a log-in or all of the node. */
export class Connections {
  /** All lines, those of strangers too. */
  readonly #lines = new Set<Line>();
  /** Those whose user is known. */
  readonly #open = new Map<Line, Open>();
  readonly #tell: Tell;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A socket was accepted; nobody knows yet whose it is. */
  opened(line: Line): void {
    this.#lines.add(line);
    this.#tell('transport-opened', { managerId: null, user: null });
    line.onGone(() => this.#closed(line));
  }

  #closed(line: Line): void {
    const { code, reason } = line.end;
    const open = this.#open.get(line);
    this.#lines.delete(line);
    this.#open.delete(line);
    const of = { managerId: open?.manager ?? null, user: open?.credential.identity.user ?? null };
    this.#tell('transport-closed', { ...of, code, reason: disconnectLabels(code, closeReasonIn(reason)).reason });
  }

  add(line: Line, credential: Credential): void {
    if (!line.isGone) this.#open.set(line, { line, credential, manager: null });
  }

  seated(line: Line, manager: ManagerId): void {
    const open = this.#open.get(line);
    if (open) open.manager = manager;
  }

  all(): readonly Connection[] {
    return [...this.#open.values()];
  }

  /** Destroys every socket at once. */
  terminate(): void {
    for (const line of this.#lines) line.transport.terminate();
  }

  /** Ends the connections of a log-in, or of a user. Returns the managers that they served. */
  end(user: UserId, family: string | null, close: CloseCode): readonly ManagerId[] {
    const managers: ManagerId[] = [];
    for (const { line, credential, manager } of this.all()) {
      const { identity } = credential;
      if (identity.user !== user || (family !== null && identity.family !== family)) continue;
      if (manager !== null) managers.push(manager);
      line.part({ close });
    }
    return managers;
  }
}
