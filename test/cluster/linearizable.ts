/** A checker in the manner of Wing & Gong, with Lowe's memory of what was tried: is there an order of these calls, each somewhere between
 *  its call and its answer, in which a model that does one after the other gives the very same answers? */

/** One call of one process. `returnedAt` null: no answer came, so it may have happened at any time from then on, or never. */
export interface Call<Op> {
  readonly process: number;
  readonly calledAt: number;
  readonly returnedAt: number | null;
  readonly op: Op;
}

export interface Model<State, Op> {
  readonly first: State;
  /** The state after it, or null where the model would have answered otherwise. */
  step(state: State, op: Op): State | null;
  /** The same text for the same state. */
  key(state: State): string;
}

export type Verdict<Op> =
  | { readonly is: 'linearizable' }
  /** No order explains these calls; `stuckAt` is the call that fits nowhere behind the longest order that was found. */
  | { readonly is: 'impossible'; readonly explained: number; readonly stuckAt: Call<Op> }
  /** The search was given up. */
  | { readonly is: 'undecided'; readonly tried: number };

interface Step<State> {
  readonly index: number;
  readonly before: State;
}

const TRIES_MAX = 2_000_000;

export function linearizable<State, Op>(history: readonly Call<Op>[], model: Model<State, Op>): Verdict<Op> {
  const calls = history.toSorted((a, b) => a.calledAt - b.calledAt);
  const isDone = new Array<boolean>(calls.length).fill(false);
  const tried = new Set<string>();
  const path: Step<State>[] = [];
  let state = model.first;
  let [known, explained, stuckAt, tries] = [calls.filter(({ returnedAt }) => returnedAt !== null).length, 0, 0, 0];
  // Calls from here on are open; all before it are done.
  let from = 0;
  let next = 0;

  for (;;) {
    if (known === 0) return { is: 'linearizable' };
    // A call may come first only if it was made before every open one had its answer.
    let deadline = Number.POSITIVE_INFINITY;
    let first = -1;
    for (let i = from; i < calls.length && (calls[i] as Call<Op>).calledAt <= deadline; i++) {
      const call = calls[i] as Call<Op>;
      if (isDone[i] || call.returnedAt === null || call.returnedAt >= deadline) continue;
      deadline = call.returnedAt;
      first = i;
    }
    let moved = false;
    for (let i = Math.max(next, from); i < calls.length && (calls[i] as Call<Op>).calledAt <= deadline; i++) {
      if (isDone[i]) continue;
      const call = calls[i] as Call<Op>;
      const after = model.step(state, call.op);
      if (after === null) continue;
      isDone[i] = true;
      const key = `${openKey(isDone, from)}|${model.key(after)}`;
      if (tried.has(key)) {
        isDone[i] = false;
        continue;
      }
      tried.add(key);
      if (++tries > TRIES_MAX) return { is: 'undecided', tried: tries };
      path.push({ index: i, before: state });
      state = after;
      if (call.returnedAt !== null) known--;
      while (from < calls.length && isDone[from]) from++;
      moved = true;
      break;
    }
    if (moved) {
      next = 0;
      continue;
    }
    if (path.length >= explained) [explained, stuckAt] = [path.length, first];
    const back = path.pop();
    if (back === undefined) return { is: 'impossible', explained, stuckAt: calls[stuckAt] as Call<Op> };
    isDone[back.index] = false;
    if ((calls[back.index] as Call<Op>).returnedAt !== null) known++;
    from = Math.min(from, back.index);
    state = back.before;
    next = back.index + 1;
  }
}

/** Which calls are done: all before the first open one, and these. */
function openKey(isDone: readonly boolean[], from: number): string {
  let start = from;
  while (start < isDone.length && isDone[start]) start++;
  let end = isDone.length;
  while (end > start && !isDone[end - 1]) end--;
  let key = `${start}:`;
  for (let i = start; i < end; i++) if (isDone[i]) key += `${i},`;
  return key;
}
