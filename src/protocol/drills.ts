/** Real trouble on a button. A drill spawns processes that use the public ports like anybody else; nothing in the gateway knows that a
 *  client is a drill. The command-line program hands the runner to the gateway; without one there are no drills. */

export type DrillName = 'frozen-tabs' | 'suspended' | 'auto-pong-proxy' | 'slow-reader' | 'leaky-tabs' | 'crash' | 'store-stall' | 'drain';

/** One drill as the catalogue describes it. */
export interface DrillInfo {
  readonly name: DrillName;
  readonly title: string;
  /** By what real means the trouble is made. */
  readonly how: string;
  /** What must happen for it to pass. */
  readonly mustHappen: string;
  /** How many clients it starts unless it is told otherwise, and at most. */
  readonly count: { readonly default: number; readonly most: number };
}

/** `passed` and `failed`: it came to its end. `stopped`: by a person, or because its time was over. */
export type DrillState = 'running' | 'passed' | 'failed' | 'stopped';

export interface DrillStep {
  /** Milliseconds since its start. */
  readonly atMs: number;
  readonly text: string;
}

export interface DrillExpectation {
  readonly text: string;
  /** Null: not known yet. */
  readonly ok: boolean | null;
  /** What was seen, in words and figures. */
  readonly seen: string;
}

export interface DrillRun {
  /** `drl_` and 20 characters. */
  readonly id: string;
  readonly name: DrillName;
  /** Always `drill:…`. */
  readonly user: string;
  readonly count: number;
  readonly state: DrillState;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly steps: readonly DrillStep[];
  readonly expectations: readonly DrillExpectation[];
}

export interface DrillStart {
  readonly name: DrillName;
  readonly count?: number;
  /** Behind `drill:`; default: one of its own. */
  readonly user?: string;
}
