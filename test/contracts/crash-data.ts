import { createHash } from 'node:crypto';
import type { StreamKey } from '../../src/ports/store.ts';
import type { RunId } from '../../src/protocol/ids.ts';
import { key, runId } from './store-builders.ts';

export const crashKey = (stream: number): StreamKey => key(`user-${stream}`);
export const crashRun = (stream: number): RunId => runId(`run-${stream}`);

/** Data that tells where it belongs, of any size up to some pages. */
export function crashData(stream: number, offset: number): string {
  const digest = createHash('sha256').update(`${stream}:${offset}`).digest('hex');
  return JSON.stringify({ stream, offset, digest, text: digest.repeat(offset % 97 === 0 ? 300 : offset % 5) });
}
