import { expect, it } from 'vitest';
import { resolveOptions } from './resolve-options.ts';
import { ackWindow } from './window.ts';

it('gives a reader twice what it takes in 0.1 s, within 16 to 256 KiB', () => {
  const o = resolveOptions();
  expect(ackWindow(0, o)).toBe(16_384);
  expect(ackWindow(200_000, o)).toBe(40_000);
  expect(ackWindow(1e9, o)).toBe(262_144);
});
