import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StreamState } from '../ports/store.ts';
import { type LoggedEntry, LogJudge, type LogVerification } from './log-judge.ts';

/** Runs one after the other, each behind its message: `agent_started`, some text, the end. */
function sound(texts: readonly number[]): LoggedEntry[] {
  const types = texts.flatMap((count, run) => [
    { kind: 'message' as const, type: null, run: `run_${run}` },
    ...['agent_started', ...Array.from({ length: count }, () => 'text_delta'), run % 3 === 2 ? 'agent_error' : 'agent_completed'].map((type) => ({
      kind: 'agent' as const,
      type,
      run: `run_${run}`,
    })),
  ]);
  return types.map((entry, i) => ({ ...entry, offset: i + 1, codec: 'agent-events', bytes: 10, at: 0 }));
}

const stateOf = (entries: readonly LoggedEntry[], o: Partial<StreamState> = {}): StreamState => ({
  epoch: 'e' as StreamState['epoch'],
  first: entries[0]?.offset ?? 1,
  head: entries.at(-1)?.offset ?? 0,
  activeRun: null,
  ...o,
});

function judged(entries: readonly LoggedEntry[], state = stateOf(entries), firstNow = state.first): LogVerification {
  const judge = new LogJudge(state);
  for (const entry of entries) judge.take(entry);
  return judge.verdict(firstNow);
}
const kinds = (verdict: LogVerification): string[] => verdict.findings.map(({ kind }) => kind);
const logs = fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }).map(sound);

describe('a log', () => {
  test('that is sound has no findings, wherever retention cut it and however far the last run has come', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (entries, cut, left) => {
        const kept = entries.slice(cut % entries.length);
        expect(kinds(judged(kept))).toEqual([]);
        const running = entries.slice(0, entries.length - (left % 2));
        const last = running.at(-1)?.run ?? '';
        const activeRun = running.length === entries.length ? null : { id: last as never, firstOffset: null };
        expect(kinds(judged(running, stateOf(running, { activeRun })))).toEqual([]);
      }),
    );
  });

  test('with one entry lost, doubled or swapped is never sound', () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.constantFrom('lost', 'doubled', 'swapped'), (entries, n, fault) => {
        const state = stateOf(entries);
        const at = n % entries.length;
        const other = (at + 1) % entries.length;
        const spoiled = {
          lost: () => entries.filter((_, i) => i !== at),
          doubled: () => entries.flatMap((entry, i) => (i === at ? [entry, entry] : [entry])),
          swapped: () => entries.map((entry, i) => (i === at ? entries[other] : i === other ? entries[at] : entry) as LoggedEntry),
        }[fault]();
        expect(judged(spoiled, state).findings.length).toBeGreaterThan(0);
      }),
    );
  });

  test.each([
    ['a run without a start', (entries: LoggedEntry[]) => entries.with(1, { ...(entries[1] as LoggedEntry), type: 'text_delta' }), ['start-missing']],
    ['a second start', (entries: LoggedEntry[]) => entries.with(2, { ...(entries[2] as LoggedEntry), type: 'agent_started' }), ['started-twice']],
    ['no end', (entries: LoggedEntry[]) => entries.with(3, { ...(entries[3] as LoggedEntry), type: 'text_delta' }), ['end-missing']],
    ['two ends', (entries: LoggedEntry[]) => entries.with(2, { ...(entries[2] as LoggedEntry), type: 'agent_error' }), ['ended-twice']],
    ['an event without a type', (entries: LoggedEntry[]) => entries.with(2, { ...(entries[2] as LoggedEntry), type: null }), ['unreadable']],
  ])('with %s is told so', (_, spoil, found) => {
    expect(kinds(judged(spoil(sound([1, 0]))))).toEqual(found);
  });

  test('of which retention took a part while it was read has no hole there', () => {
    const entries = sound([2, 2]);
    expect(kinds(judged(entries.slice(3), stateOf(entries), 4))).not.toContain('hole');
    expect(kinds(judged(entries.slice(3), stateOf(entries), 1))).toContain('hole');
  });

  test('tells of a hundred findings at most, and that there are more', () => {
    const entries = sound(Array.from({ length: 120 }, () => 0)).filter(({ type }) => type !== 'agent_started');
    expect(judged(entries)).toMatchObject({ more: true, findings: { length: 100 } });
  });
});
