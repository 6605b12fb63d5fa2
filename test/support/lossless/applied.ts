import type { Ledger } from './ledger.ts';
import type { Findings, Line, Numbered } from './records.ts';

const kinds = () => ({
  lost: new Set<number>(),
  doubled: new Set<number>(),
  reordered: new Set<number>(),
  phantom: new Set<number>(),
  altered: new Set<number>(),
  foreign: new Set<number>(),
  ackedUnseen: new Set<number>(),
  declared: new Set<number>(),
  uneven: new Set<number>(),
});

const sorted = (numbers: Iterable<number>): readonly number[] => [...numbers].sort((a, b) => a - b);

/** Reads one client's lines in file order and judges each by what came before it. */
export class Applied {
  /** Last offset that was applied, or that a snapshot stands for. */
  at: number;
  readonly #ledger: Ledger;
  readonly #user: string;
  readonly #found = kinds();
  #start: number | null;
  #epoch: string | null = null;
  #seen = new Set<number>();
  #highest = 0;
  /** Offsets that were jumped over and have not come since. */
  readonly #holes = new Set<number>();
  /** Up to here a snapshot stands for the entries. */
  #coveredTo = 0;
  #gaps = 0;
  #checked = 0;

  constructor(ledger: Ledger, user: string, from: number | 'first') {
    this.#ledger = ledger;
    this.#user = user;
    this.#start = from === 'first' ? null : from;
    this.at = this.#start ?? 0;
    for (const number of ledger.alteredInLog()) this.#found.altered.add(number);
    for (const number of ledger.twice) this.#found.doubled.add(number);
  }

  take(line: Line): void {
    if (line.is === 'applied') this.#apply(line);
    else if (line.is === 'ack') this.#acknowledge(line.offset);
    else if (line.is === 'gap') this.#jump(line);
  }

  findings(to: number): Findings {
    const found = this.#found;
    const end = Math.min(to, this.#ledger.last);
    // A position of another epoch says nothing about this log.
    const at = this.#epoch === null || this.#epoch === this.#ledger.epoch ? this.at : 0;
    const start = Math.max(this.#start ?? at, this.#ledger.first - 1);
    for (let offset = start + 1; offset <= end; offset++) {
      const isThere = offset <= at && !this.#holes.has(offset);
      if (!isThere && !found.declared.has(offset)) found.uneven.add(offset);
      const [number] = this.#ledger.numbersIn(offset, offset) ?? [];
      if (number === undefined || this.#seen.has(number)) continue;
      if (!found.declared.has(offset) || this.#coveredTo >= offset) found.lost.add(number);
    }
    // What is trimmed was seen, stands in a snapshot, or lies in a gap that was announced.
    if (start === this.#ledger.first - 1 && (this.#gaps === 0 || this.#coveredTo > 0))
      for (const number of this.#ledger.trimmed()) if (!this.#seen.has(number) && (this.#start ?? 0) === 0) found.lost.add(number);
    return {
      lost: sorted(found.lost),
      doubled: sorted(found.doubled),
      reordered: sorted(found.reordered),
      phantom: sorted(found.phantom),
      altered: sorted(found.altered),
      foreign: sorted(found.foreign),
      ackedUnseen: sorted(found.ackedUnseen),
      unlogged: this.#ledger.unlogged(),
      declared: sorted(found.declared),
      uneven: sorted(found.uneven),
      gaps: this.#gaps,
      checked: this.#checked,
    };
  }

  #apply({ epoch, from, to, events }: Extract<Line, { is: 'applied' }>): void {
    const { uneven } = this.#found;
    if (this.#start === null) {
      this.#start = from - 1;
      this.at = this.#start;
    }
    // Only a gap may lead into another epoch.
    if (this.#epoch !== null && epoch !== this.#epoch) uneven.add(from);
    this.#epoch = epoch;
    for (let offset = this.at + 1; offset < from; offset++) this.#holes.add(offset);
    for (let offset = from; offset <= Math.min(to, this.at); offset++) {
      this.#holes.delete(offset);
      uneven.add(offset);
    }
    const logged = epoch === this.#ledger.epoch ? this.#ledger.numbersIn(from, to) : null;
    if (logged !== null && String(logged) !== String(events.map(({ number }) => number))) uneven.add(from);
    this.at = Math.max(this.at, to);
    for (const event of events) {
      this.#judge(event, from);
      if (this.#seen.has(event.number)) this.#found.doubled.add(event.number);
      else if (event.number < this.#highest) this.#found.reordered.add(event.number);
      this.#see(event.number);
    }
  }

  #see(number: number): void {
    this.#seen.add(number);
    this.#highest = Math.max(this.#highest, number);
  }

  #judge({ number, digest, user }: Numbered, offset: number): void {
    const { foreign, phantom, altered } = this.#found;
    if (user !== this.#user) foreign.add(number);
    const truth = this.#ledger.digestOf(number);
    // Of what retention has cut off, and of an epoch that is over, only the attempt is known.
    const isBeyondLog = offset < this.#ledger.first || this.#epoch !== this.#ledger.epoch;
    if (truth === null || (!this.#ledger.isLogged(number) && !isBeyondLog)) phantom.add(number);
    else if (truth !== digest) altered.add(number);
    this.#checked++;
  }

  #acknowledge(offset: number): void {
    const { ackedUnseen } = this.#found;
    for (let unseen = this.at + 1; unseen <= offset; unseen++) ackedUnseen.add(unseen);
    for (const hole of this.#holes) if (hole <= offset) ackedUnseen.add(hole);
  }

  #jump({ epoch, from, to, reason, snapshot }: Extract<Line, { is: 'gap' }>): void {
    this.#gaps++;
    this.#start ??= from - 1;
    this.#epoch = epoch;
    for (let offset = from; offset <= to; offset++) this.#found.declared.add(offset);
    if (reason === 'retention') this.at = Math.max(this.at, to);
    else {
      // Offsets of the old epoch mean nothing any more, and what was built from them is void.
      this.at = to;
      this.#holes.clear();
      this.#seen.clear();
      this.#highest = 0;
    }
    if (snapshot === undefined) return;
    this.at = snapshot.to;
    this.#coveredTo = snapshot.to;
    this.#holes.clear();
    this.#seen.clear();
    this.#highest = 0;
    for (const event of snapshot.events) {
      this.#judge(event, 0);
      if (this.#seen.has(event.number)) this.#found.doubled.add(event.number);
      this.#see(event.number);
    }
  }
}
