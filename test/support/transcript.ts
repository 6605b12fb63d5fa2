import { expect } from 'vitest';
import type { WireClient, WireFrame } from './wire-client.ts';

/** What a transcript gives of a frame: its fields in order. A value is compared; a RegExp or a function tests generated ones. */
export type Given = Readonly<Record<string, unknown>>;

/** Reads the next frame and holds it against what a transcript gives: every field, in that order, with its value. `rest` allows
 *  fields that stand behind an ellipsis; without it the frame holds nothing else. */
export async function expectFrame(client: WireClient, given: Given, rest: 'rest' | 'complete' = 'complete'): Promise<WireFrame> {
  const frame = await client.next();
  hold(frame, given, rest === 'rest' || '…' in given, String(given.type));
  return frame;
}

function hold(actual: unknown, given: Given, hasRest: boolean, path: string): void {
  if (typeof actual !== 'object' || actual === null) throw new Error(`Expected an object at ${path}, got ${JSON.stringify(actual)}`);
  const fields = Object.entries(given).filter(([key]) => key !== '…');
  const keys = Object.keys(actual);
  const names = fields.map(([key]) => key);
  const seen = hasRest ? keys.filter((key) => names.includes(key)) : keys;
  expect(seen, `fields of ${path} in ${JSON.stringify(actual)}`).toEqual(names);
  for (const [key, expected] of fields) {
    const value = (actual as Record<string, unknown>)[key];
    const at = `${path}.${key}`;
    if (expected instanceof RegExp) expect(value, at).toMatch(expected);
    else if (typeof expected === 'function') expect((expected as (value: unknown) => boolean)(value), `${at}: ${JSON.stringify(value)}`).toBe(true);
    else if (typeof expected === 'object' && expected !== null && !Array.isArray(expected)) hold(value, expected as Given, '…' in expected, at);
    else expect(value, at).toEqual(expected);
  }
}
