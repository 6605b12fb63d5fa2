import type { Clock } from '../../../ports/clock.ts';
import { turn } from '../../live/slices.ts';

/** Items that become text before others get their turn of the event loop. */
const SLICE = 256;

const encoder = new TextEncoder();

/** A JSON object whose last field is a list that may be very long: written slice by slice, as fast as its reader takes it, so that nobody
 *  waits while 100,000 items become text. */
export function longJson(clock: Clock, head: object, name: string, items: readonly unknown[]): ReadableStream<Uint8Array> {
  const opening = `${JSON.stringify(head).slice(0, -1)}${Object.keys(head).length === 0 ? '' : ','}${JSON.stringify(name)}:[`;
  let at = 0;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(opening));
    },
    async pull(controller) {
      await turn(clock);
      const texts = items.slice(at, at + SLICE).map((item) => JSON.stringify(item));
      controller.enqueue(encoder.encode(`${at === 0 ? '' : ','}${texts.join(',')}`));
      at += SLICE;
      if (at < items.length) return;
      controller.enqueue(encoder.encode(']}'));
      controller.close();
    },
  });
}
