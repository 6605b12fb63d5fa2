import type { AdmitRequest, SeatFacts, SeatLimits } from '../../src/ports/store.ts';
import type { ManagerId, UserId } from '../../src/protocol/ids.ts';

interface Account {
  /** Tokens of the seats that were given and not taken back. */
  readonly held: Map<ManagerId, number>;
  readonly freed: Set<number>;
  highest: number;
  leaseStartedAt: number;
  before: SeatFacts | null;
  /** Admissions and releases so far. */
  progress: number;
  /** Rounds of Force by attempt, and the progress when the first began. */
  readonly forces: Map<string, { rounds: number; readonly since: number }>;
}

/** Keeps its own books of every call on seats and what was answered, and says where they do not fit: I2, I3, I12, I18, I20. */
export class SeatLedger {
  readonly problems: string[] = [];
  readonly #accounts = new Map<UserId, Account>();
  #limits: SeatLimits | null = null;
  /** Seats may lapse by themselves: a process died, or the store forgot. */
  mayLapse = false;
  /** Several nodes ask: what one has read may be true no more when it acts, because of what another one did in between. */
  isShared = false;

  #account(user: UserId): Account {
    const known = this.#accounts.get(user);
    if (known !== undefined) return known;
    const account: Account = {
      held: new Map(),
      freed: new Set(),
      highest: 0,
      leaseStartedAt: Number.NEGATIVE_INFINITY,
      before: null,
      progress: 0,
      forces: new Map(),
    };
    this.#accounts.set(user, account);
    return account;
  }

  /** After a call on the seats of a user, with what it was answered. */
  saw(call: string, args: readonly unknown[], answer: unknown): void {
    const { is, token, victim, facts } = answer as { is?: string; token?: number; victim?: ManagerId | null; facts?: SeatFacts };
    if (call === 'admit' || call === 'replace') {
      const request = args[0] as AdmitRequest;
      this.#limits = request.limits;
      const account = this.#account(request.user);
      if (call === 'replace') this.#force(account, request.attach);
      if (is === 'ok') account.progress++;
      if (is === 'ok' && token !== undefined) {
        if (victim != null && account.held.get(request.manager) !== token) this.#free(account, victim, account.held.get(victim), 'replaced');
        this.#seat(account, request.manager, token);
      }
      if (facts) this.#look(account, facts);
    } else if (call === 'evict' || call === 'release') {
      const [user, manager, held] = args as [UserId, ManagerId, number];
      const account = this.#account(user);
      if (is === 'ok') {
        account.progress++;
        this.#free(account, manager, held, call);
      }
      if (facts) this.#look(account, facts);
    } else if (call === 'facts') this.#look(this.#account(args[0] as UserId), answer as SeatFacts);
    else if (call === 'cancel') this.#look(this.#account(args[0] as UserId), answer as SeatFacts);
    else if (call === 'enqueue' && facts) this.#look(this.#account((args[0] as { user: UserId }).user), facts);
  }

  /** I18: a second round of Force means that others of the user came or went meanwhile. */
  #force(account: Account, attach: string): void {
    const force = account.forces.get(attach) ?? { rounds: 0, since: account.progress };
    account.forces.set(attach, force);
    force.rounds++;
    const others = account.progress - force.since;
    if (force.rounds > 1 + others + (this.isShared ? 1 : 0))
      this.problems.push(`I18: ${force.rounds} rounds of Force, and ${others} admissions and releases meanwhile`);
  }

  #seat(account: Account, manager: ManagerId, token: number): void {
    if (account.held.get(manager) === token) return;
    if (token <= account.highest) this.problems.push(`I20: token ${token} of ${manager} is not above ${account.highest}`);
    account.highest = Math.max(account.highest, token);
    account.held.set(manager, token);
  }

  #free(account: Account, manager: ManagerId, token: number | undefined, how: string): void {
    if (token === undefined || account.held.get(manager) !== token) {
      this.problems.push(
        `I12: ${manager} was ${how} by token ${token}; it holds ${account.held.get(manager) ?? 'none'}${account.freed.has(token ?? -1) ? ', and that seat was freed before' : ''}`,
      );
      return;
    }
    account.held.delete(manager);
    account.freed.add(token);
  }

  #look(account: Account, facts: SeatFacts): void {
    const { before } = account;
    account.before = facts;
    const count = facts.seats.length;
    const limits = this.#limits;
    const listed = new Map(facts.seats.map((s) => [s.manager, s.token]));
    for (const [manager, token] of listed)
      if (account.held.get(manager) !== token) this.problems.push(`I12: the store lists ${manager} by ${token}, which nobody was given`);
    for (const manager of [...account.held.keys()]) {
      if (listed.has(manager)) continue;
      if (!this.mayLapse) this.problems.push(`I12: the seat of ${manager} vanished`);
      account.held.delete(manager);
    }
    if (limits === null) return;
    const burst = facts.burst;
    if (count > limits.hard) this.problems.push(`I2: ${count} seats, hard limit ${limits.hard}`);
    if (count > limits.soft && burst.in !== 'active' && burst.in !== 'debt') this.problems.push(`I2: ${count} seats above ${limits.soft} in ${burst.in}`);
    if (burst.in === 'debt' && before?.burst.in === 'debt' && count > before.seats.length)
      this.problems.push(`I3: in debt seats rose from ${before.seats.length} to ${count}`);
    if (burst.in === 'active' && before?.burst.in !== 'active') {
      const apart = facts.now - account.leaseStartedAt;
      if (apart < limits.burstForMs + limits.coolDownMs) this.problems.push(`I3: leases start ${apart} ms apart`);
      account.leaseStartedAt = facts.now;
    }
  }

  /** What the store should say of a user's seats. */
  held(user: UserId): ReadonlyMap<ManagerId, number> {
    return this.#account(user).held;
  }
}
