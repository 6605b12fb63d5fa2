import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Epoch } from '../protocol/ids.ts';
import type { Position } from '../protocol/position.ts';
import { type LogExtent, replayFrom } from './replay.ts';

const at = (offset: number, epoch = 'e1'): Position => ({ epoch: epoch as Epoch, offset });
const extents = fc
  .record({ dropped: fc.nat(30), retained: fc.nat(30), epoch: fc.constantFrom('e1', 'e2') })
  .map(({ dropped, retained, epoch }) => ({ epoch, first: dropped + 1, head: dropped + retained }));
const positions = fc.record({ epoch: fc.constantFrom('e1', 'e2'), offset: fc.nat(70) }).map(({ epoch, offset }) => at(offset, epoch));

const gapOf = (log: LogExtent, from: Position) => {
  const replay = replayFrom(log, from);
  return replay.is === 'gap' ? [replay.reason, replay.missing, replay.then] : replay;
};

it('turns a follower live that has everything', () => {
  expect(replayFrom({ epoch: 'e1', first: 1, head: 7 }, at(7))).toEqual({ is: 'live' });
  expect(replayFrom({ epoch: 'e1', first: 1, head: 0 }, at(0))).toEqual({ is: 'live' });
});

it('tells a follower that came too late what is gone', () => {
  expect(gapOf({ epoch: 'e1', first: 5, head: 9 }, at(2))).toEqual(['retention', { from: 3, to: 4 }, 5]);
});

it('voids what was applied of another epoch, even if nothing is missing', () => {
  expect(gapOf({ epoch: 'e2', first: 1, head: 3 }, at(9))).toEqual(['epoch', { from: 1, to: 0 }, 1]);
});

it('voids what was applied behind the head of a log that lost its tail', () => {
  expect(gapOf({ epoch: 'e1', first: 3, head: 8 }, at(9))).toEqual(['rewound', { from: 1, to: 2 }, 3]);
});

it('after what it says, a follower has the log: every retained entry once, and every missing one named', () => {
  fc.assert(
    fc.property(extents, positions, (log, from) => {
      const replay = replayFrom(log, from);
      const delivered = replay.is === 'replay' ? [replay.from, replay.to] : replay.is === 'gap' ? [replay.then, log.head] : [log.head + 1, log.head];
      const isVoid = replay.is === 'gap' && replay.reason !== 'retention';
      const has = isVoid ? 0 : from.offset;
      const named = replay.is === 'gap' ? replay.missing : { from: has + 1, to: has };
      // applied, then missing, then delivered, without a hole or an overlap, up to head
      expect(named.from).toBe(has + 1);
      expect(delivered[0]).toBe(named.to + 1);
      expect(delivered[1]).toBe(log.head);
      expect(delivered[0]).toBeGreaterThanOrEqual(log.first > log.head ? log.head + 1 : Math.min(log.first, delivered[0] as number));
      if (replay.is === 'replay') expect(replay.from).toBeGreaterThanOrEqual(log.first);
      if (from.epoch === log.epoch && from.offset <= log.head && from.offset + 1 >= log.first) expect(replay.is).not.toBe('gap');
    }),
  );
});
