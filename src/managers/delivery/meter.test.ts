import { expect, test } from 'vitest';
import { DeliveryMeter } from './meter.ts';

test('bytes that wait for the kernel are those of the transports that it holds up, as they are when somebody asks', () => {
  const meter = new DeliveryMeter();
  const slow = { unsentBytes: 300 };
  const slower = { unsentBytes: 500 };
  meter.holds(slow, true);
  meter.holds(slow, true);
  meter.holds(slower, true);
  expect(meter.bufferedBytes).toBe(800);
  slower.unsentBytes = 200;
  expect(meter.bufferedBytes).toBe(500);
  meter.holds(slow, false);
  expect(meter.bufferedBytes).toBe(200);
  meter.holds(slower, false);
  meter.holds(slower, false);
  expect(meter.bufferedBytes).toBe(0);
});
