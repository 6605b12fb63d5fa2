import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check, faultsOf, isCutTail } from './checker.ts';
import { digestOf, markOf, numberedEvents, numberedIn } from './numbered.ts';
import { readLines } from './read-lines.ts';
import type { Attempted, Findings, Line, Logged, Numbered } from './records.ts';
import { fileSink } from './sink.ts';

const USER = 'ada';
const markFor = (number: number, user = USER): string => markOf({ user, thread: 't', number, bytes: 60, seed: 1 });

interface Records {
  attempted: Attempted[];
  logged: Logged[];
  lines: Line[];
}
type Applied = Extract<Line, { is: 'applied' }>;

/** A flawless story: a person's message, `agent_started`, events 1…count, the end. `cuts`: how many entries each delivery covers, in turn. */
function flawless(count: number, cuts: readonly number[], ackEvery = 3): Records {
  const marks = Array.from({ length: count }, (_, i) => markFor(i + 1));
  const attempted = marks.map((mark, i): Attempted => ({ user: USER, thread: 't', run: 'run_1', number: i + 1, digest: digestOf(mark) }));
  const nothing = (offset: number): Logged => ({ epoch: 'e', offset, number: null, digest: null });
  const logged = [
    nothing(1),
    nothing(2),
    ...attempted.map(({ number, digest }): Logged => ({ epoch: 'e', offset: number + 2, number, digest })),
    nothing(count + 3),
  ];
  const lines: Line[] = [];
  let from = 1;
  for (let i = 0; from <= logged.length; i++) {
    // Only text can be merged: what has no number, and every tenth, goes alone.
    let to = from;
    const mayMerge = (offset: number): boolean => {
      const number = logged[offset - 1]?.number ?? null;
      return number !== null && number % 10 !== 0;
    };
    while (to - from + 1 < (cuts[i % cuts.length] ?? 1) && mayMerge(from) && mayMerge(to + 1)) to++;
    const text = logged
      .slice(from - 1, to)
      .map(({ number }) => (number === null ? '' : markFor(number)))
      .join('');
    lines.push({ is: 'applied', life: 1, epoch: 'e', from, to, events: numberedIn(text) });
    if (i % ackEvery === ackEvery - 1) lines.push({ is: 'ack', life: 1, sub: 1, offset: to });
    from = to + 1;
  }
  return { attempted, logged, lines };
}

const judge = (records: Records): Findings => check({ user: USER, ...records });
const KINDS = ['lost', 'doubled', 'reordered', 'phantom', 'altered', 'foreign', 'ackedUnseen', 'unlogged', 'declared'] as const;
/** What was found, without offsets that follow from it. */
const foundIn = (findings: Findings): Partial<Record<(typeof KINDS)[number], readonly number[]>> =>
  Object.fromEntries(KINDS.filter((kind) => findings[kind].length > 0).map((kind) => [kind, findings[kind]]));

/** Whoever holds event `number` in `lines`, and its index there. */
function holderOf(lines: readonly Line[], number: number): { readonly index: number; readonly line: Applied } {
  const index = lines.findIndex((line) => line.is === 'applied' && line.events.some((event) => event.number === number));
  return { index, line: lines[index] as Applied };
}
function changeEvent(records: Records, number: number, change: (event: Numbered) => Numbered): void {
  const { index, line } = holderOf(records.lines, number);
  records.lines[index] = { ...line, events: line.events.map((event) => (event.number === number ? change(event) : event)) };
}

/** One mistake each; it answers what must be found. */
const DEFECTS: Readonly<Record<string, (records: Records, number: number) => object>> = {
  'a loss': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    records.lines.splice(index, 1);
    // What a later ack covered is acknowledged and unseen: the same mistake, seen twice.
    const isAcked = records.lines.slice(index).some((later) => later.is === 'ack');
    const offsets = Array.from({ length: line.to - line.from + 1 }, (_, i) => line.from + i);
    return { lost: line.events.map((event) => event.number), ...(isAcked ? { ackedUnseen: offsets } : {}) };
  },
  'a loss inside a merged range': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    records.lines[index] = { ...line, events: line.events.filter((event) => event.number !== number) };
    return { lost: [number] };
  },
  'a double': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    records.lines.splice(index + 1, 0, line);
    return { doubled: line.events.map((event) => event.number) };
  },
  'a swap': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    const next = records.lines.findIndex((other, i) => i > index && other.is === 'applied' && other.events.length > 0);
    const other = records.lines[next] as Applied;
    // Acks stay where they are, so the ranges between must hold none.
    const acks = records.lines.slice(index, next).filter(({ is }) => is === 'ack');
    records.lines.splice(index, next - index + 1, other, line, ...acks);
    return { reordered: line.events.map((event) => event.number) };
  },
  'an alteration': (records, number) => {
    changeEvent(records, number, (event) => ({ ...event, digest: `${event.digest}x` }));
    return { altered: [number] };
  },
  'a phantom': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    records.lines[index] = { ...line, events: [...line.events, { number: 9_999, digest: 'd', user: USER }] };
    // What follows has lower numbers than the phantom.
    const after = [...Array.from({ length: records.attempted.length }, (_, i) => i + 1)].filter((n) => n > Math.max(...line.events.map((e) => e.number)));
    return { phantom: [9_999], ...(after.length > 0 ? { reordered: after } : {}) };
  },
  'a foreign event': (records, number) => {
    changeEvent(records, number, (event) => ({ ...event, user: 'mallory' }));
    return { foreign: [number] };
  },
  'an early ack': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    records.lines.splice(index, 0, { is: 'ack', life: 1, sub: 1, offset: line.to });
    return { ackedUnseen: Array.from({ length: line.to - line.from + 1 }, (_, i) => line.from + i) };
  },
  'a log that lost it': (records, number) => {
    const { index, line } = holderOf(records.lines, number);
    records.logged = records.logged.map((entry) => (entry.number === number ? { ...entry, number: null, digest: null } : entry));
    records.lines[index] = { ...line, events: line.events.filter((event) => event.number !== number) };
    return { unlogged: [number] };
  },
  'a log that altered it': (records, number) => {
    records.logged = records.logged.map((entry) => (entry.number === number ? { ...entry, digest: 'x' } : entry));
    changeEvent(records, number, (event) => ({ ...event, digest: 'x' }));
    return { altered: [number] };
  },
};

describe('the checker', () => {
  test('finds nothing in flawless deliveries, whole or merged', () => {
    for (const cuts of [[1], [4], [1, 7, 2]]) {
      const findings = judge(flawless(40, cuts));
      expect(faultsOf(findings)).toEqual([]);
      expect(findings.checked).toBe(40);
    }
  });

  for (const [what, spoil] of Object.entries(DEFECTS)) {
    test(`finds exactly ${what}`, () => {
      const records = flawless(40, [3, 1, 5]);
      const expected = spoil(records, 17);
      const findings = judge(records);
      expect(foundIn(findings)).toEqual(expected);
      expect(faultsOf(findings)).not.toEqual([]);
    });
  }

  test('finds any single mistake in any delivery, and none where there is none', () => {
    const story = fc.record({
      count: fc.integer({ min: 5, max: 60 }),
      cuts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
      ackEvery: fc.integer({ min: 1, max: 9 }),
      defect: fc.constantFrom(null, ...Object.keys(DEFECTS)),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(story, ({ count, cuts, ackEvery, defect, at }) => {
        const records = flawless(count, cuts, ackEvery);
        // A swap needs somebody behind it.
        const lastOne = holderOf(records.lines, count).line.events[0]?.number ?? count;
        const number = 1 + Math.floor(at * (defect === 'a swap' ? lastOne - 1 : count));
        fc.pre(defect !== 'a swap' || lastOne > 1);
        const spoil = defect === null ? undefined : DEFECTS[defect];
        const expected = spoil === undefined ? {} : spoil(records, number);
        const findings = judge(records);
        expect(foundIn(findings)).toEqual(expected);
        expect(faultsOf(findings).length > 0).toBe(spoil !== undefined);
      }),
      { numRuns: 500, seed: 9 },
    );
  });

  test('sees what has no number too: a lost end, a doubled message', () => {
    const lost = flawless(5, [1]);
    lost.lines.splice(holderOf(lost.lines, 5).index + 1);
    expect(judge(lost)).toMatchObject({ lost: [], uneven: [8] });
    const doubled = flawless(5, [1]);
    doubled.lines.unshift(doubled.lines[0] as Line);
    expect(judge(doubled)).toMatchObject({ doubled: [], uneven: [1] });
  });

  test('counts a range that says it covers more than it does', () => {
    const records = flawless(9, [1]);
    const { index, line } = holderOf(records.lines, 4);
    records.lines[index] = { ...line, to: line.to + 1 };
    expect(faultsOf(judge(records))).not.toEqual([]);
  });

  test('a second life goes on behind the first; from the start it doubles', () => {
    const records = flawless(20, [2]);
    const at = records.lines.length / 2;
    records.lines = records.lines.map((line, i) => ({ ...line, life: i < at ? 1 : 2 }));
    expect(faultsOf(judge(records))).toEqual([]);
    records.lines.push(...records.lines.filter((line) => line.is === 'applied'));
    expect(judge(records).doubled).toHaveLength(20);
  });

  test('the window of a client that followed from now on, and of one that did not come back', () => {
    const records = flawless(20, [1]);
    const late = { ...records, lines: records.lines.slice(holderOf(records.lines, 8).index) };
    expect(faultsOf(check({ user: USER, ...late, from: 'first' }))).toEqual([]);
    expect(judge(late).lost).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const gone = { ...records, lines: records.lines.slice(0, holderOf(records.lines, 8).index) };
    expect(faultsOf(check({ user: USER, ...gone, to: 'applied' }))).toEqual([]);
    expect(judge(gone).lost).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  });

  test('a gap is declared, not lost; its snapshot has to hold what it stands for', () => {
    const records = flawless(20, [1]);
    const { index } = holderOf(records.lines, 4);
    const { index: behind } = holderOf(records.lines, 11);
    const gap = { is: 'gap', life: 1, epoch: 'e', from: 6, to: 12, reason: 'retention' } as const;
    const cut = (line: Line): Records => ({ ...records, lines: records.lines.toSpliced(index, behind - index, line) });
    const declared = judge(cut(gap));
    expect(declared).toMatchObject({ declared: [6, 7, 8, 9, 10, 11, 12], lost: [], gaps: 1 });
    expect(faultsOf(declared, 'declared')).toEqual([]);
    expect(faultsOf(declared)).not.toEqual([]);
    const whole = Array.from({ length: 10 }, (_, i) => numberedIn(markFor(i + 1))).flat();
    expect(faultsOf(judge(cut({ ...gap, snapshot: { to: 12, events: whole } })), 'declared')).toEqual([]);
    expect(judge(cut({ ...gap, snapshot: { to: 12, events: whole.filter(({ number }) => number !== 7) } })).lost).toEqual([7]);
  });

  test('what retention has cut off the log is judged by what was attempted', () => {
    const records = flawless(20, [1]);
    records.logged = records.logged.slice(12);
    expect(faultsOf(judge(records))).toEqual([]);
    const { index } = holderOf(records.lines, 3);
    const whole = Array.from({ length: 20 }, (_, i) => numberedIn(markFor(i + 1))).flat();
    const gap = (events: readonly Numbered[]): Line => ({ is: 'gap', life: 1, epoch: 'e', from: 5, to: 12, reason: 'retention', snapshot: { to: 23, events } });
    const away = (events: readonly Numbered[]): Records => ({ ...records, lines: [...records.lines.slice(0, index), gap(events)] });
    expect(faultsOf(judge(away(whole)), 'declared')).toEqual([]);
    expect(judge(away(whole.filter(({ number }) => number !== 6))).lost).toEqual([6]);
  });

  test('a new epoch without a gap is no way to go on', () => {
    const records = flawless(9, [1]);
    const { index, line } = holderOf(records.lines, 4);
    records.lines[index] = { ...line, epoch: 'f' };
    expect(faultsOf(judge(records))).not.toEqual([]);
  });

  test('tells the cut tail of a run from a hole in it', () => {
    const { attempted } = flawless(9, [1]);
    expect(isCutTail([8, 9], attempted)).toBe(true);
    expect(isCutTail([7, 9], attempted)).toBe(false);
  });

  test('of nothing it says so', () => {
    expect(faultsOf(check({ user: USER, logged: [], lines: [] }))).toEqual(['nothing was compared']);
  });
});

describe('numbered events', () => {
  test('can be read again however deltas are merged, and every character counts', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 9 }), fc.integer({ min: 0, max: 10_000 }), (numbers, at) => {
        const text = numbers.map((number) => markFor(number, 'ada lovelace [é]')).join('');
        const read = numberedIn(text);
        expect(read).toEqual(numbers.map((number) => ({ number, digest: digestOf(markFor(number, 'ada lovelace [é]')), user: 'ada lovelace [é]' })));
        const i = at % text.length;
        for (const damaged of [text.slice(0, i) + text.slice(i + 1), `${text.slice(0, i)}~${text.slice(i)}`]) expect(numberedIn(damaged)).not.toEqual(read);
      }),
      { numRuns: 200, seed: 3 },
    );
    expect(numberedEvents([{ type: 'tool_executing', parameters: { mark: markFor(10) } }, { type: 'agent_started' }])).toHaveLength(1);
  });
});

test('a killed client’s last line that was cut is as if it were not written, and its next life goes on before it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-lines-'));
  try {
    const file = join(folder, 'a.jsonl');
    const [first, second, third] = flawless(9, [1], 99).lines.map((line) => JSON.stringify(line));
    writeFileSync(file, `${first}\n${second}\n${third?.slice(0, 30)}`);
    expect([...readLines<Line>(file)]).toHaveLength(2);
    const sink = fileSink(file);
    expect(sink.saved).toEqual({ life: 1, position: { epoch: 'e', offset: 2 } });
    sink.write({ is: 'ack', life: 2, sub: 1, offset: 2 });
    sink.close();
    expect([...readLines<Line>(file)].at(-1)).toEqual({ is: 'ack', life: 2, sub: 1, offset: 2 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
