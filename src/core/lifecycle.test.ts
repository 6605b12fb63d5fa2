import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdsSeat, LIFECYCLE, type LifecycleEvent, type ManagerState, target } from './lifecycle.ts';

const STATES = Object.keys(LIFECYCLE) as ManagerState[];
const EVENTS = [...new Set(STATES.flatMap((s) => Object.keys(LIFECYCLE[s].on)))] as LifecycleEvent[];
const END_OF_STORY: readonly LifecycleEvent[] = ['left', 'expired'];
const histories = (events: readonly LifecycleEvent[]) => fc.array(fc.constantFrom(...events), { maxLength: 40 });

const live = (events: readonly LifecycleEvent[]): ManagerState => {
  let state: ManagerState = 'admitting';
  for (const event of events) state = target(state, event) ?? state;
  return state;
};

describe('the life of a manager', () => {
  it('goes the way of the table', () => {
    expect(target('admitting', 'queued')).toBe('queued');
    expect(target('attached', 'transport-lost')).toBe('detached');
    expect(target('detached', 'fenced')).toBe('unseated');
    expect(target('unseated', 'returned')).toBe('admitting');
  });

  it('gives no meaning to an event that comes too late', () => {
    expect(target('unseated', 'fenced')).toBeNull();
    expect(target('closed', 'resumed')).toBeNull();
    expect(target('attached', 'constructor' as LifecycleEvent)).toBeNull();
  });

  it('never leaves closed, and only a departure or the end of time leads there', () => {
    for (const event of EVENTS) expect(target('closed', event)).toBeNull();
    for (const state of STATES) {
      for (const event of EVENTS) if (target(state, event) === 'closed') expect(END_OF_STORY).toContain(event);
    }
  });

  it('holds a seat in exactly two states', () => {
    expect(STATES.filter(holdsSeat)).toEqual(['attached', 'detached']);
  });

  it('can be left from every state by the person', () => {
    for (const state of STATES) if (state !== 'closed') expect(target(state, 'left')).toBe('closed');
  });

  it('leads a person back from any history in which they did not leave', () => {
    fc.assert(
      fc.property(histories(EVENTS.filter((e) => !END_OF_STORY.includes(e))), (history) => {
        let state = live(history);
        for (const event of ['resumed', 'returned', 'seated'] as const) state = target(state, event) ?? state;
        expect(state).toBe('attached');
      }),
    );
  });

  it('has no way to a transport except by admission or resumption', () => {
    fc.assert(
      fc.property(histories(EVENTS), fc.constantFrom(...EVENTS), (history, event) => {
        const before = live(history);
        const after = target(before, event);
        if (after === null || LIFECYCLE[before].transport || !LIFECYCLE[after].transport) return;
        expect(['resumed', 'returned']).toContain(event);
      }),
    );
  });
});
