/** The life of a manager as one literal table. Types, diagrams, event names and the property tests are made from it. */

/** For every state: whether it holds a seat of its user's limit, whether it has a transport, and where each event leads.
 *  `closed` is reached by `left` and `expired` only, so no cleanup can end a story: whatever else happens to a manager,
 *  `resumed`, `returned` and `seated` lead back to `attached`. */
export const LIFECYCLE = {
  /** Asks for a seat. */
  admitting: { seat: false, transport: true, on: { seated: 'attached', queued: 'queued', deferred: 'unseated', 'transport-lost': 'unseated', left: 'closed' } },
  /** Waits for a seat under a ticket; the ticket goes with the transport. */
  queued: { seat: false, transport: true, on: { seated: 'attached', deferred: 'unseated', 'transport-lost': 'unseated', left: 'closed' } },
  attached: {
    seat: true,
    transport: true,
    on: { 'transport-replaced': 'attached', 'transport-lost': 'detached', released: 'unseated', fenced: 'unseated', left: 'closed' },
  },
  /** Its resume window runs. It counts as dead when its seat is needed. */
  detached: { seat: true, transport: false, on: { resumed: 'attached', fenced: 'unseated', left: 'closed' } },
  /** Evicted, parked or deferred; the story and the id stay. */
  unseated: { seat: false, transport: false, on: { returned: 'admitting', expired: 'closed', left: 'closed' } },
  closed: { seat: false, transport: false, on: {} },
} as const;

type Table = typeof LIFECYCLE;

export type ManagerState = keyof Table;
export type LifecycleEvent = { [S in ManagerState]: keyof Table[S]['on'] }[ManagerState];
/** The events that mean something in state `S`. */
export type EventsOf<S extends ManagerState> = keyof Table[S]['on'];

/** Where `event` leads from `state`; null if it means nothing there, as an event that comes too late does. */
export function target(state: ManagerState, event: LifecycleEvent): ManagerState | null {
  const on: Partial<Record<LifecycleEvent, ManagerState>> = LIFECYCLE[state].on;
  return Object.hasOwn(on, event) ? (on[event] ?? null) : null;
}

/** Whether a manager in `state` counts against its user's limit. */
export const holdsSeat = (state: ManagerState): boolean => LIFECYCLE[state].seat;
export const hasTransport = (state: ManagerState): boolean => LIFECYCLE[state].transport;
