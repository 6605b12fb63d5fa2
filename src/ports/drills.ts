import type { DrillInfo, DrillRun, DrillStart } from '../protocol/drills.ts';

/** Runs drills, one at a time, capped and stopped by itself. */
export interface DrillBoard {
  readonly catalogue: readonly DrillInfo[];
  /** Newest first; the last 50 of this process. */
  readonly runs: readonly DrillRun[];
  /** Starts one. Rejects with a `SpillwayError`: `SPILLWAY_BUSY` while another one runs, `SPILLWAY_BAD_ARGUMENT` for a count or a user that
   *  cannot be, `SPILLWAY_REFUSED` for a drill that this gateway cannot run, such as one whose clients nobody can give tokens. */
  start(request: DrillStart): Promise<DrillRun>;
  /** Null: unknown. */
  run(id: string): DrillRun | null;
  /** Ends its processes. False: unknown, or over already. */
  stop(id: string): Promise<boolean>;
  /** Calls back whenever a run has changed. */
  onChange(listener: (run: DrillRun) => void): () => void;
  /** Stops what runs. */
  close(): Promise<void>;
}
