/** A transport of an application's own threw where it had nothing to say any more. What it was told, it was told by a timer: the whole
 *  process went down, with everybody on it. Where it threw at a goodbye, the seat stayed taken; where it threw at a ping, nobody ever
 *  looked at its manager again. */

import { expect, it } from 'vitest';
import type { Transport } from '../../src/ports/transport.ts';
import { bareNode, eventually, withChanges } from '../support/bare-node.ts';

const broken = (): never => {
  throw new Error('this transport is broken');
};
const ONE = { timing: 'fast', limits: { perUser: 1, burst: { perUser: 1 }, overflowPolicy: 'force-first' } } as const;

/** A transport on which some calls throw from the moment on at which `isBroken` says so. */
function breaking(calls: readonly ('send' | 'end' | 'terminate' | 'ping')[], isBroken: () => boolean) {
  return (transport: Transport): Transport =>
    withChanges(
      transport,
      Object.fromEntries(calls.map((call) => [call, (...args: never[]) => (isBroken() ? broken() : (transport[call] as (...a: never[]) => void)(...args))])),
    );
}

it.each([[['send']], [['end']], [['terminate']], [['send', 'end', 'terminate', 'ping']]] as const)(
  'with %j broken, its seat goes to a newcomer, and its socket is counted until it has closed',
  async (calls) => {
    await using node = await bareNode(ONE);
    let isBroken = false;
    const first = await node.connect('ada', { wrap: breaking(calls, () => isBroken) });
    isBroken = true;
    const second = await node.connect('ada');
    expect(second.admission.kind).toBe('seated');
    expect(node.factory.getFactoryStatus()).toMatchObject({ seats: 1 });
    // A page that hears the goodbye closes by itself.
    if (calls.length > 1) {
      await eventually('the quarantine', () => node.factory.getFactoryStatus().quarantined === 1);
      isBroken = false;
    }
    await first.client.closed;
    await eventually('no socket too many', () => node.factory.getFactoryStatus().sockets === 1);
  },
);

it('a goodbye to a broken transport gives the seat back all the same', async () => {
  await using node = await bareNode(ONE);
  const { admission } = await node.connect('ada', { wrap: breaking(['send', 'end', 'terminate'], () => true) });
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  await admission.manager.release();
  expect(node.factory.getFactoryStatus().seats).toBe(0);
  expect((await node.connect('ada')).admission).toMatchObject({ kind: 'seated', how: 'direct' });
});

it('a transport that cannot be pinged or written to is looked at again and again, and found dead', async () => {
  await using node = await bareNode({ timing: 'fast', cleanup: { proactive: false } });
  let isBroken = false;
  const { admission } = await node.connect('ada', { wrap: breaking(['send', 'ping'], () => isBroken) });
  if (admission.kind !== 'seated') throw new Error(`Expected a seat, got ${admission.kind}.`);
  isBroken = true;
  admission.manager.notify({ id: 'news', version: 1, kind: 'info', level: 'info', text: 'news', actions: [], data: {} } as never);
  await eventually('it to be proved dead', () => admission.manager.verdict.proof, 12_000);
});

it('a return in the place of a broken transport is attached', async () => {
  await using node = await bareNode(ONE);
  let isBroken = false;
  const first = await node.connect('ada', { wrap: breaking(['send', 'end', 'terminate'], () => isBroken) });
  if (first.admission.kind !== 'seated') throw new Error(`Expected a seat, got ${first.admission.kind}.`);
  isBroken = true;
  const { id, serial } = first.admission.manager;
  expect((await node.connect('ada', { resume: { manager: id, serial } })).admission).toMatchObject({ kind: 'seated', resume: 'attached' });
});
