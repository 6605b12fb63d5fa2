/** What every run of `node-kill` does, the same for whoever is measured: conversations of two clients each, an answer streaming in each of
 *  them, and one of three nodes killed in the middle. */
export const PLAN = {
  nodes: 3,
  clients: 300,
  /** Clients that follow one conversation. */
  together: 2,
  /** Pieces of each answer, and how many of them a second. */
  pieces: 32,
  perSecond: 4,
  /** The kill comes this long after all answers have begun, anywhere in between. */
  killAfterMs: [300, 3_000],
  /** And the node is started again so long after that, at the earliest. */
  downMs: 7_000,
} as const;

/** What became of one run, as one line of a results file. */
export interface RunRow {
  readonly peer: 'socketio' | 'spillway';
  readonly run: number;
  readonly killed: number;
  readonly killAfterMs: number;
  readonly clients: number;
  /** Clients that were connected to the killed node. */
  readonly affected: number;
  /** Pieces that were logged, times the clients that follow them. */
  readonly expected: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Clients that lost at least one piece. */
  readonly losers: number;
  /** The most that one client lost. */
  readonly mostLost: number;
  /** From the kill until an affected client was served again. */
  readonly backMs: Times;
  readonly hostLoad: number;
}

/** `RunRow`, and what only Spillway promises. */
export interface KillRow extends RunRow {
  /** It was started again at once, and not after all was over. */
  readonly quick: boolean;
  /** From the kill until somebody sat on a seat of the dead node; null if it was started again at once. */
  readonly reclaimedMs: number | null;
  /** From the first open transport after the kill until live. */
  readonly servedMs: RunRow['backMs'];
  /** Runs that died with the node, and from the kill until their readers saw the end. */
  readonly lostRuns: number;
  readonly endedMs: RunRow['backMs'];
  /** What was not as promised, in words. */
  readonly broken: readonly string[];
}

/** What one fault of the store came to, as one line of a results file. */
export interface FaultFigures {
  readonly name: string;
  readonly story: string;
  readonly broken: readonly string[];
  readonly events: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly gaps: number;
  readonly closes: number;
  readonly came: number;
  readonly seated: number;
  readonly slowestSeatMs: number;
  /** Seats of the full user, in the store and as its tabs saw it. */
  readonly mostInStore: number;
  readonly mostSeated: number;
  /** From the end of the fault until all counts agreed; null: never. */
  readonly agreedMs: number | null;
}

export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function timesOf(all: readonly number[]): Times {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** What somebody who follows a conversation got of what was logged, piece by piece. */
export function compared(logged: readonly number[], got: readonly number[]): { readonly lost: number; readonly doubled: number; readonly reordered: number } {
  const seen = new Set<number>();
  let doubled = 0;
  let reordered = 0;
  let highest = 0;
  for (const piece of got) {
    if (seen.has(piece)) doubled++;
    else if (piece < highest) reordered++;
    seen.add(piece);
    highest = Math.max(highest, piece);
  }
  return { lost: logged.filter((piece) => !seen.has(piece)).length, doubled, reordered };
}
