/** Frames become text here. Field order is wire order. */

import type { ServerFrame } from './frames.ts';

/** The text of a frame, its fields in the order in which they were given. */
export const writeFrame = (frame: ServerFrame): string => JSON.stringify(frame);

/** An `event` frame whose event is JSON text already: made once when it was logged, spliced into every follower's frame. */
export interface EventParts {
  readonly sub: number;
  /** First covered offset, where the frame covers several. */
  readonly from?: number | undefined;
  readonly offset: number;
  readonly kind?: 'message' | undefined;
  readonly at?: number | undefined;
  readonly ack?: boolean | undefined;
  /** JSON text of one event, or of an array of events. Trusted: it is not looked at. */
  readonly data: string;
}

/** The text of an `event` frame. Measured: 0.1 µs against 0.4 µs of `JSON.stringify`, since only numbers are written. */
export function writeEventFrame(e: EventParts): string {
  const from = e.from === undefined || e.from === e.offset ? '' : `,"from":${e.from}`;
  const kind = e.kind === undefined ? '' : ',"kind":"message"';
  const at = e.at === undefined ? '' : `,"at":${e.at}`;
  const ack = e.ack === true ? ',"ack":true' : '';
  return `{"type":"event","sub":${e.sub}${from},"offset":${e.offset}${kind}${at}${ack},"data":${e.data}}`;
}
