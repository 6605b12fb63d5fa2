/** The two accountings of a user. Seats change only when a manager is admitted, fenced or released, sockets only when one is
 *  really opened or gone; both are shown, so no freed seat with a live socket can hide. */
export interface SeatCount {
  /** Managers that hold a seat. */
  readonly seats: number;
  /** Of them: dead by proof, and so reclaimable. */
  readonly dead: number;
  /** Of them: living victims between RESERVE and FENCE. */
  readonly leaving: number;
  /** Freed seats kept for the admission that paid for them (at most `cleanup.seatPromiseMs`). */
  readonly promised: number;
  /** What the burst state allows now. */
  readonly cap: number;
}

/** Seats without the dead ones and those being given up. */
export const effective = (c: SeatCount): number => c.seats - c.dead - c.leaving;

/** Seats that can be given without any cleanup; negative above the cap. */
export const room = (c: Pick<SeatCount, 'cap' | 'seats' | 'promised'>): number => c.cap - c.seats - c.promised;

/** Seats that could be given if everything dead were freed. "Full" may be said only if this is 0 or less after an inline
 *  `conservative` pass. */
export const effectiveCapacity = (c: SeatCount): number => c.cap - effective(c) - c.promised;
