import { expect, test } from 'vitest';
import type { UserId } from '../../protocol/ids.ts';
import { memoryStore } from '../../stores/memory.ts';
import { WebSocketManagerFactory } from '../factory.ts';

const FEW = 20;
const MANY = 4_000;
const ASKS = 500;
/** A look at everybody would cost two hundred times as much. */
const AT_MOST_TIMES = 20;

async function withManagers(count: number): Promise<WebSocketManagerFactory> {
  const factory = new WebSocketManagerFactory({ store: memoryStore(), cleanup: { proactive: false } });
  for (let i = 0; i < count; i++) {
    const user = { userId: `user-${i >> 2}` as UserId, tier: i % 2 === 0 ? 'free' : 'mid', requestId: `request-${i}`, websocketClientId: 'test' };
    await factory.createManager(user);
  }
  return factory;
}

/** The fastest of several rounds: whatever else this machine does only makes one slower. */
function fastest(ask: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const startedAt = performance.now();
    for (let i = 0; i < ASKS; i++) ask();
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
}

test('asking how things stand costs the same for a few managers as for thousands', async () => {
  await using few = await withManagers(FEW);
  await using many = await withManagers(MANY);
  expect(many.telemetry.gauges()).toMatchObject({
    seats: MANY,
    users: MANY / 4,
    effectiveSeats: 0,
    managers: [
      { verdict: 'inactive', tier: 'free', count: MANY / 2 },
      { verdict: 'inactive', tier: 'mid', count: MANY / 2 },
    ],
  });
  expect(many.getFactoryStatus()).toMatchObject({ seats: MANY, managersByVerdict: { inactive: MANY } });
  for (const ask of ['telemetry', 'status'] as const) {
    const askOf = (factory: WebSocketManagerFactory) => () => void (ask === 'telemetry' ? factory.telemetry.gauges() : factory.getFactoryStatus());
    expect(fastest(askOf(many)) / fastest(askOf(few)), ask).toBeLessThan(AT_MOST_TIMES);
  }
});
