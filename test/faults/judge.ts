import type { Expectation, Outcome } from './row.ts';

/** What one client of a row showed. Times in milliseconds from the injection; null: not within the window. */
export interface Observed {
  readonly client: string;
  readonly noticedMs: number | null;
  readonly socketReleasedMs: number | null;
  readonly seatReleasedMs: number | null;
  /** The gateway said in the window that it could not tell because it hardly ran itself. */
  readonly wasSelfSlow: boolean;
  /** Errors of the lossless checker, in words. */
  readonly faults: readonly string[];
  /** Times that the gateway closed it though it worked, or called it dead. */
  readonly falselyClosed: readonly FalseClose[];
  /** Redials that the client's own dead-man timer caused. */
  readonly ownReconnects: number;
  /** Why the fault was not proved to be in force; null: it was. */
  readonly unproved: string | null;
  /** What else its row promises and did not hold. */
  readonly broken: readonly string[];
}

export interface FalseClose {
  readonly what: string;
  /** The client itself, or its maker, was held up shortly before: nobody can say whose fault it is. */
  readonly whileStalled: boolean;
}

/** What a row allows. */
export interface Allowance {
  readonly expect: Expectation;
  readonly boundMs: number;
  /** After `noticed`: a dead transport loses both at once, a zombie's socket may wait for the background pass. */
  readonly releaseMs: number;
  readonly socketReleaseMs: number;
  readonly ownReconnects: number;
}

export interface Verdict {
  readonly outcome: Exclude<Outcome, 'skipped'>;
  readonly why: string | null;
}

const PASSED: Verdict = { outcome: 'passed', why: null };
const failed = (why: string): Verdict => ({ outcome: 'failed', why });
const isVoid = (why: string): Verdict => ({ outcome: 'void', why });

/** The worst of what its clients showed. A late answer of a machine that was held up says nothing; a loss, or a fault never noticed, does. */
export function judgeRow(observed: readonly Observed[], allowed: Allowance, gate: { readonly passed: boolean; readonly why: string }): Verdict {
  const verdicts = observed.map((one) => judgeClient(one, allowed, gate));
  return verdicts.find(({ outcome }) => outcome === 'failed') ?? verdicts.find(({ outcome }) => outcome === 'void') ?? PASSED;
}

function judgeClient(one: Observed, allowed: Allowance, gate: { readonly passed: boolean; readonly why: string }): Verdict {
  const { expect } = allowed;
  if (one.faults.length > 0) return failed(`${one.client}: ${one.faults.join('; ')}`);
  if (one.unproved !== null) return isVoid(`${one.client}: the fault was not in force: ${one.unproved}`);
  const late = (why: string): Verdict => (gate.passed ? failed(why) : isVoid(`${why}, while ${gate.why}`));
  if (one.broken.length > 0) return late(`${one.client}: ${one.broken.join('; ')}`);
  if (expect.is === 'info' || expect.is === 'own') return PASSED;
  if (expect.is === 'left-alone') {
    const [close] = one.falselyClosed;
    if (close !== undefined) {
      const why = `${one.client} works, and the gateway ended it or called it dead: ${close.what}`;
      return !gate.passed && close.whileStalled ? isVoid(`${why}, while it was held up itself`) : failed(why);
    }
    if (one.ownReconnects > allowed.ownReconnects)
      return late(`${one.client} dialled again by itself ${one.ownReconnects} times, at most ${allowed.ownReconnects} were expected`);
    return PASSED;
  }
  if (one.noticedMs === null) {
    const why = `${one.client} was never noticed`;
    return one.wasSelfSlow ? late(`${why}: the gateway hardly ran, and said so`) : failed(why);
  }
  if (one.noticedMs > allowed.boundMs) return late(`${one.client} was noticed after ${seconds(one.noticedMs)}, the bound is ${seconds(allowed.boundMs)}`);
  for (const [what, at, within] of [
    ['seat', one.seatReleasedMs, allowed.releaseMs],
    ['socket', one.socketReleasedMs, allowed.socketReleaseMs],
  ] as const) {
    if (at === null) return failed(`${one.client}: its ${what} was never given back`);
    if (at - one.noticedMs > within)
      return late(`${one.client}: its ${what} was given back ${seconds(at - one.noticedMs)} after it was noticed, ${seconds(within)} were expected`);
  }
  return PASSED;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
