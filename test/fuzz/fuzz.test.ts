/** A short piece of `npm run test:fuzz`: with a seed that is always the same, and with one that never was before. */

import { expect, test } from 'vitest';
import { fuzzCodec } from './codec.ts';
import { fuzzGateway } from './gateway.ts';
import { faultsOf } from './oracle.ts';

const FIXED = 20_261_121;
const FRESH = Date.now() % 1_000_000_007;
const CODEC_INPUTS = 15_000;
const WIRE_INPUTS = 1_500;
const STORM_WITHIN_MS = 150_000;

test.each([
  ['the same as ever', FIXED],
  ['fresh', FRESH],
])('the codec takes what is right, refuses what is wrong and survives the rest: %s, seed %i', (_name, seed) => {
  const parts = fuzzCodec(CODEC_INPUTS, seed);
  expect(parts.reduce((sum, part) => sum + part.inputs, 0)).toBe(CODEC_INPUTS);
});

test(`strangers on the wire harm neither the gateway nor a neighbour, seed ${FRESH}`, { timeout: STORM_WITHIN_MS }, async () => {
  const report = await fuzzGateway({ inputs: WIRE_INPUTS, warmUp: WIRE_INPUTS / 3, seed: FRESH });
  expect(report.findings).toEqual([]);
  expect(Object.values(report.inputs).reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(WIRE_INPUTS);
  expect(report.answers).toMatchObject({ 'HTTP 400': expect.any(Number), 'close 4500': expect.any(Number), 'close 1002': expect.any(Number) });
});

test('the second writing of the protocol sees what a careless parser would take', () => {
  const careless = (frame: Record<string, unknown>): readonly string[] => faultsOf(JSON.stringify(frame), frame);
  expect(careless({ type: 'ack', sub: 1, offset: 4 })).toEqual([]);
  expect(careless({ type: 'ack', sub: 0, offset: 4 })).toEqual(['`sub` is missing or wrong']);
  expect(careless({ type: 'ack', sub: 1, offset: 2 ** 53 })).toEqual(['`offset` is missing or wrong']);
  expect(careless({ type: 'send', id: 'i', thread: 't', data: { text: '' }, admin: true })).toEqual(['`admin` belongs to no frame']);
});
