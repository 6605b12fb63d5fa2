/** Bad mobile links: every frame is late, and some are lost, in either direction. */

import { createInterface } from 'node:readline';
import type { Make } from '../row.ts';
import { scaled } from '../times.ts';
import { namespaceBehindGap, startInside, stopped } from './net-lab.ts';
import { owning, seatedIn, socketsOf, urlInside } from './net-subject.ts';

/** Each way. */
export interface Manner {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly loss: number;
}

/** What happened to the frames of a link so far. */
interface Count {
  readonly passed: number;
  readonly lost: number;
  readonly delayed: number;
}

/** A program between the two ends of a link. */
interface Forwarder extends AsyncDisposable {
  become(manner: Manner): Promise<Count>;
}

const GOOD: Manner = { delayMs: 0, jitterMs: 0, loss: 0 };
const PROGRAM = new URL('./net-forwarder.py', import.meta.url).pathname;

async function startForwarder(inside: readonly string[], seed: number): Promise<Forwarder> {
  const child = startInside(inside, 'python3', PROGRAM, 'left0', 'right0', String(seed));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<Count> => {
    const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
    if (done) throw new Error('Expected an answer of the forwarder, it has ended.');
    return JSON.parse(value) as Count;
  };
  await next();
  return {
    async become({ loss, delayMs, jitterMs }) {
      child.stdin.write(`${loss} ${delayMs} ${jitterMs}\n`);
      return await next();
    },
    [Symbol.asyncDispose]: () => stopped(child),
  };
}

/** F12, F12b. */
export const badLink =
  (manner: Manner): Make =>
  (o) =>
    owning(async (cleanUp) => {
      const { target } = o;
      const times = { delayMs: scaled(target.times, manner.delayMs), jitterMs: scaled(target.times, manner.jitterMs), loss: manner.loss };
      const place = cleanUp.use(await namespaceBehindGap());
      const forwarder = cleanUp.use(await startForwarder(place.insideBetween, o.index));
      let before: Count = { passed: 0, lost: 0, delayed: 0 };
      return await seatedIn({
        o,
        cleanUp,
        url: urlInside(target),
        inside: place.inside,
        sockets: socketsOf(place, target),
        async breaks() {
          before = await forwarder.become(times);
        },
        heals: () => forwarder.become(GOOD),
        async proof() {
          const { passed, lost, delayed } = await forwarder.become(times);
          if (delayed === before.delayed) return 'no frame was late yet';
          // One in some hundred may be unlucky for its client, none of so many.
          return passed - before.passed > 500 && lost === before.lost ? 'no frame was lost' : null;
        },
      });
    });
