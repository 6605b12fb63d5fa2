import type { GatewayRow, Result } from '../row.ts';

/** No row takes longer. */
const LONGEST_MS = 240_000;

/** What a row of the gateway found. */
export interface Found {
  readonly clients: number;
  /** What it promises and did not hold; empty: passed. */
  readonly broken: readonly string[];
  /** Why the fault was not in force; the row is void then. */
  readonly unproved?: string | null;
  readonly falselyClosed?: number;
  readonly lossless: Result['lossless'];
  readonly boundMs?: number;
  readonly seatReleasedMs?: number;
  readonly notes?: readonly string[];
}

/** Runs a row and tells its result; whatever it throws is its failure. */
export async function told(row: Pick<GatewayRow, 'key'>, run: () => Promise<Found>): Promise<Result> {
  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 100) / 10;
  try {
    const { broken, unproved = null, falselyClosed = 0, ...rest } = await inTime(run());
    const why = broken.length > 0 ? broken.slice(0, 5).join('; ') : unproved;
    const outcome = broken.length > 0 ? 'failed' : unproved === null ? 'passed' : 'void';
    return { key: row.key, outcome, ...(why === null ? {} : { why }), falselyClosed, ...rest, seconds: seconds() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { key: row.key, outcome: 'failed', why, clients: 0, falselyClosed: 0, lossless: null, seconds: seconds() };
  }
}

/** A gateway whose timers never come may keep a row waiting for ever. */
async function inTime(run: Promise<Found>): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected the row to end within ${LONGEST_MS / 1_000} s.`)), LONGEST_MS);
  });
  try {
    return await Promise.race([run, late]);
  } finally {
    clearTimeout(timer);
  }
}
