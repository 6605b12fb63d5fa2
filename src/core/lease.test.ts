import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeNode, localCap, nextToken, onRenew } from './lease.ts';

describe('leases', () => {
  it('a node is dead only with proof: its key gone, or of a newer life, in a store that kept its data', () => {
    expect(judgeNode({ key: 'present', incarnation: 'i1', epochStableMs: 0 }, 'i1')).toBe('alive');
    expect(judgeNode({ key: 'absent', incarnation: null, epochStableMs: 4_999 }, 'i1')).toBe('silent');
    expect(judgeNode({ key: 'absent', incarnation: null, epochStableMs: 5_000 }, 'i1')).toBe('dead');
    expect(judgeNode({ key: 'present', incarnation: 'i2', epochStableMs: 60_000 }, 'i1')).toBe('dead');
    expect(judgeNode({ key: 'present', incarnation: 'i2', epochStableMs: 10 }, 'i1')).toBe('silent');
  });

  it('I21: a store that forgot a live manager gets it back; only a tombstone or a newer token ends it', () => {
    expect(onRenew({ is: 'OK' })).toEqual({ do: 'keep' });
    expect(onRenew({ is: 'UNKNOWN' })).toEqual({ do: 'adopt' });
    expect(onRenew({ is: 'FENCED' })).toEqual({ do: 'end', reason: 'superseded' });
    expect(onRenew({ is: 'EVICTED', reason: 'idle-over-limit' })).toEqual({ do: 'end', reason: 'idle-over-limit' });
  });

  it('I20: tokens rise, also when the store lost the last one or its clock steps', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ us: fc.nat(1e9), isLost: fc.boolean() })), (steps) => {
        let last = 0;
        let clock = 1.7e15;
        for (const { us, isLost } of steps) {
          clock += us + 1;
          const token = nextToken(isLost ? 0 : last, clock);
          expect(token).toBeGreaterThan(last);
          expect(Number.isSafeInteger(token)).toBe(true);
          last = token;
        }
      }),
    );
    expect(nextToken(500, 3)).toBe(501);
  });

  it('a node that is cut off gives each tier its share, and never more than the limit', () => {
    expect(['enterprise', 'mid', 'early', 'free', 'trial', 'constructor'].map((tier) => localCap(tier, 20, 20))).toEqual([20, 10, 5, 2, 2, 2]);
    expect(localCap('free', 20, 3)).toBe(7);
    expect(localCap('free', 1, 3)).toBe(1);
  });
});
