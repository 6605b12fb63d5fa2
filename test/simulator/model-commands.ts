import type fc from 'fast-check';
import type { Intent } from '../../src/protocol/frames.ts';
import type { ThreadId, UserId } from '../../src/protocol/ids.ts';
import type { AttemptRecord, ModelPage, ModelRig } from './model-rig.ts';

/** What the commands know beforehand: next to nothing, so that any order of them makes sense. */
export interface Model {
  readonly user: UserId;
  readonly waitMs: number;
  readonly check: (rig: ModelRig) => void;
}

/** A decision is due in this time by the policy; the network adds two milliseconds. */
const SLA_MS = 500;

abstract class Step implements fc.AsyncCommand<Model, ModelRig> {
  check(): boolean {
    return true;
  }
  async run(model: Model, rig: ModelRig): Promise<void> {
    this.act(model, rig);
    await rig.clock.pass(0);
    look(model, rig);
  }
  abstract act(model: Model, rig: ModelRig): void;
  abstract toString(): string;
}

/** I1 and I16 for every attempt so far, then what the books say. */
function look(model: Model, rig: ModelRig): void {
  for (const a of rig.attempts) checkAttempt(model, rig, a);
  model.check(rig);
}

const checked = new WeakSet<AttemptRecord>();

function checkAttempt(model: Model, rig: ModelRig, a: AttemptRecord): void {
  if (checked.has(a)) return;
  const now = a.endedAt ?? rig.clock.now;
  const tell = (what: string): void => {
    rig.problems.push(`${a.page.name} (${a.intent}, ${a.state}): ${what}`);
  };
  if (a.state === 'rejected') tell(`I1: rejected by ${String(a.error)}`);
  const decidedMs = (a.queuedAt ?? now) - a.askedAt;
  if (decidedMs > SLA_MS + 10) tell(`I1: decided after ${decidedMs} ms`);
  if (a.queuedAt !== null && now - a.queuedAt > model.waitMs + SLA_MS + 10) tell(`I1: ${now - a.queuedAt} ms in the queue`);
  if (a.intent === 'user' && a.queuedAt !== null && a.state === 'retry') tell(`I1: a person waited and was sent away: ${a.retry?.reason}`);
  if (a.endedAt === null) return;
  checked.add(a);
  if (a.state !== 'seated' || a.queuedAt === null || a.intent !== 'user') return;
  // I16: first come, first served among persons.
  for (const other of rig.attempts) {
    const wasFirst = other.intent === 'user' && other.page.user === a.page.user && other.queuedAt !== null && other.queuedAt < a.queuedAt;
    if (wasFirst && other.state === 'queued' && other.promise === null && a.promise === null)
      tell(`I16: it was served before ${other.page.name}, who came first`);
  }
}

const at = <T>(list: readonly T[], n: number): T | undefined => (list.length === 0 ? undefined : list[n % list.length]);
const mine = (rig: ModelRig, user: UserId): ModelPage[] => rig.seated(user);

export class Arrive extends Step {
  readonly intent: Intent;
  readonly isDead: boolean;
  constructor(intent: Intent, isDead: boolean) {
    super();
    this.intent = intent;
    this.isDead = isDead;
  }
  act(model: Model, rig: ModelRig): void {
    if (rig.pages.filter((p) => p.connection !== null).length > 14) return;
    const { page } = rig.ask(model.user, { intent: this.intent });
    if (this.isDead) page.corpse();
  }
  toString(): string {
    return `arrive ${this.intent}${this.isDead ? ' and freeze' : ''}`;
  }
}

export class Pass extends Step {
  readonly ms: number;
  constructor(ms: number) {
    super();
    this.ms = ms;
  }
  act(): void {}
  override async run(model: Model, rig: ModelRig): Promise<void> {
    await rig.clock.pass(this.ms);
    look(model, rig);
  }
  toString(): string {
    return `${this.ms} ms pass`;
  }
}

export class Leave extends Step {
  readonly n: number;
  readonly how: 'left' | 'reset';
  constructor(n: number, how: 'left' | 'reset') {
    super();
    this.n = n;
    this.how = how;
  }
  act(model: Model, rig: ModelRig): void {
    const page = at(mine(rig, model.user), this.n);
    if (this.how === 'left') page?.say({ type: 'bye', reason: 'left' });
    else page?.connection?.clientReset();
  }
  toString(): string {
    return `seated ${this.n} ${this.how === 'left' ? 'says goodbye' : 'loses its connection'}`;
  }
}

/** Whoever waits hangs up. */
export class HangUp extends Step {
  readonly n: number;
  constructor(n: number) {
    super();
    this.n = n;
  }
  act(_: Model, rig: ModelRig): void {
    at(
      rig.attempts.filter((a) => a.state === 'queued'),
      this.n,
    )?.page.connection?.clientReset();
  }
  toString(): string {
    return `waiting ${this.n} hangs up`;
  }
}

/** A page that lost its connection, was evicted or sent away comes back with what it was given. */
export class ComeBack extends Step {
  readonly n: number;
  readonly intent: Intent;
  constructor(n: number, intent: Intent) {
    super();
    this.n = n;
    this.intent = intent;
  }
  act(_: Model, rig: ModelRig): void {
    const away = rig.pages.filter((p) => p.connection === null && (p.manager !== null || p.attempt?.retry != null));
    const page = at(away, this.n);
    if (page === undefined) return;
    page.isAlive = true;
    page.answersCloses = true;
    rig.ask(page.user, { page, intent: this.intent, promise: page.attempt?.retry?.promise ?? null });
  }
  toString(): string {
    return `away ${this.n} comes back, ${this.intent}`;
  }
}

export class Freeze extends Step {
  readonly n: number;
  constructor(n: number) {
    super();
    this.n = n;
  }
  act(model: Model, rig: ModelRig): void {
    at(mine(rig, model.user), this.n)?.corpse();
  }
  toString(): string {
    return `seated ${this.n} freezes`;
  }
}

export class Free extends Step {
  readonly n: number;
  constructor(n: number) {
    super();
    this.n = n;
  }
  act(model: Model, rig: ModelRig): void {
    const manager = at(rig.factory.list(model.user), this.n);
    if (manager) rig.factory.evict(manager.id, { reason: 'user-freed', by: null }).catch((error: unknown) => rig.problems.push(String(error)));
  }
  toString(): string {
    return `the person frees ${this.n}`;
  }
}

export class Pin extends Step {
  readonly n: number;
  constructor(n: number) {
    super();
    this.n = n;
  }
  act(model: Model, rig: ModelRig): void {
    const manager = at(rig.factory.list(model.user), this.n);
    if (manager?.pinned) manager.unpin();
    else manager?.pin();
  }
  toString(): string {
    return `${this.n} is pinned or unpinned`;
  }
}

export class Publish extends Step {
  act(model: Model, rig: ModelRig): void {
    rig.factory.publish(model.user, 'talk' as ThreadId, { type: 'text_delta', text: 'x' }).catch((error: unknown) => rig.problems.push(String(error)));
  }
  toString(): string {
    return 'an event';
  }
}

/** What an operator asks for. */
export class Clean extends Step {
  readonly upTo: 'conservative' | 'moderate' | 'aggressive';
  constructor(upTo: 'conservative' | 'moderate' | 'aggressive') {
    super();
    this.upTo = upTo;
  }
  act(model: Model, rig: ModelRig): void {
    rig.factory.cleanup(model.user, { upTo: this.upTo }).catch((error: unknown) => rig.problems.push(String(error)));
  }
  toString(): string {
    return `cleanup up to ${this.upTo}`;
  }
}
