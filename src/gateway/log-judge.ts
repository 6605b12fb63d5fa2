import type { StreamState } from '../ports/store.ts';
import { isTerminal } from '../protocol/agent-events.ts';

/** An entry of a log without what is in it. */
export interface LoggedEntry {
  readonly offset: number;
  readonly kind: 'agent' | 'message';
  /** Of an event, such as `text_delta`; null where it has none. */
  readonly type: string | null;
  readonly run: string | null;
  readonly codec: string;
  /** UTF-8 bytes of its JSON, as it travels. */
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

export type LogFault =
  | 'hole'
  | 'repeated'
  | 'unordered'
  | 'outside'
  | 'start-missing'
  | 'started-twice'
  | 'end-missing'
  | 'ended-twice'
  | 'after-end'
  | 'unreadable';

export interface LogFinding {
  readonly kind: LogFault;
  readonly offset: number;
  readonly run: string | null;
  readonly detail: string;
}

export interface LogVerification {
  /** Entries read. */
  readonly checked: number;
  readonly runs: number;
  readonly findings: readonly LogFinding[];
  /** There are more findings than are told. */
  readonly more: boolean;
}

const FINDINGS_MAX = 100;

interface SeenRun {
  readonly firstOffset: number;
  lastOffset: number;
  started: boolean;
  endedAt: number | null;
}

/** Takes the entries of a log one by one and says what is wrong with them: offsets rise by one, and every run begins and ends once, with
 *  nothing behind its end. A run that was cut by retention needs no start, the active one no end. */
export class LogJudge {
  readonly #state: StreamState;
  readonly #findings: LogFinding[] = [];
  readonly #runs = new Map<string, SeenRun>();
  #last: number;
  #checked = 0;

  constructor(state: StreamState) {
    this.#state = state;
    this.#last = state.first - 1;
  }

  take(entry: LoggedEntry): void {
    const { offset, kind, run, type } = entry;
    this.#checked++;
    this.#placed(offset);
    if (kind !== 'agent') return;
    if (type === null) this.#find('unreadable', offset, run, 'It is an event of a run, and has no type.');
    else if (run !== null) this.#ofRun(run, offset, type);
  }

  /** `first`: the first offset that is retained now. */
  verdict(first: number): LogVerification {
    const { head, activeRun } = this.#state;
    if (this.#last < head) this.#find('hole', this.#last + 1, null, `Entries ${this.#last + 1} to ${head} are missing.`);
    for (const [run, { endedAt, lastOffset }] of this.#runs)
      if (endedAt === null && run !== activeRun?.id) this.#find('end-missing', lastOffset, run, 'It is not active, and its last entry is no end.');
    const findings = this.#findings.filter(({ kind, offset }) => kind !== 'hole' || offset >= first);
    return { checked: this.#checked, runs: this.#runs.size, findings: findings.slice(0, FINDINGS_MAX), more: findings.length > FINDINGS_MAX };
  }

  #placed(offset: number): void {
    const expected = this.#last + 1;
    if (offset < this.#state.first) this.#find('outside', offset, null, `The first that is retained is ${this.#state.first}.`);
    else if (offset === this.#last) this.#find('repeated', offset, null, 'It came twice.');
    else if (offset < this.#last) this.#find('unordered', offset, null, `It came behind ${this.#last}.`);
    else if (offset > expected) this.#find('hole', expected, null, `Entries ${expected} to ${offset - 1} are missing.`);
    this.#last = Math.max(this.#last, offset);
  }

  #ofRun(run: string, offset: number, type: string): void {
    const known = this.#runs.get(run);
    const seen = known ?? { firstOffset: offset, lastOffset: offset, started: false, endedAt: null };
    this.#runs.set(run, seen);
    seen.lastOffset = offset;
    if (type === 'agent_started') {
      if (seen.started) this.#find('started-twice', offset, run, `It had begun at ${seen.firstOffset}.`);
      seen.started = true;
    } else if (known === undefined && !this.#isCut()) this.#find('start-missing', offset, run, `Its first entry is \`${type}\`.`);
    if (seen.endedAt !== null) this.#find(isTerminal(type) ? 'ended-twice' : 'after-end', offset, run, `It had ended at ${seen.endedAt}; \`${type}\` follows.`);
    else if (isTerminal(type)) seen.endedAt = offset;
  }

  /** Runs come one after the other, so retention cuts the first one that is seen. */
  #isCut(): boolean {
    return this.#state.first > 1 && this.#runs.size === 1;
  }

  #find(kind: LogFault, offset: number, run: string | null, detail: string): void {
    // One more than is told shows that there are more.
    if (this.#findings.length <= FINDINGS_MAX) this.#findings.push({ kind, offset, run, detail });
  }
}
