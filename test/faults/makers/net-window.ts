/** A reader that stops, with so little room in its kernel that the gateway's own send queue fills at once. */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { kernelSockets } from '../../support/peers/kernel.ts';
import type { Remote } from '../kernel-table.ts';
import type { Make } from '../row.ts';
import { GATEWAY_ADDRESS } from './net-enter.ts';
import { namespace, startInside, stopped } from './net-lab.ts';
import { owning, portOf, seatedIn, socketsOf } from './net-subject.ts';

const RELAY = new URL('./net-relay-process.ts', import.meta.url).pathname;
/** Least, usual and greatest receive buffer of a connection. */
const RECEIVE_BYTES = '4096 4096 8192';

/** F07n. */
export const zeroWindow: Make = (o) =>
  owning(async (cleanUp) => {
    const { target } = o;
    const port = portOf(target);
    const place = cleanUp.use(await namespace());
    await place.run('bash', '-c', `echo ${RECEIVE_BYTES} >/proc/sys/net/ipv4/tcp_rmem`);
    const relay = startInside(place.inside, process.execPath, '--disable-warning=ExperimentalWarning', RELAY, GATEWAY_ADDRESS, String(port));
    cleanUp.defer(() => stopped(relay));
    const [line] = (await once(createInterface(relay.stdout), 'line')) as [string];
    const sockets = socketsOf(place, target);
    let stuck: readonly Remote[] = [];
    return await seatedIn({
      o,
      cleanUp,
      url: `http://127.0.0.1:${(JSON.parse(line) as { readonly port: number }).port}`,
      inside: place.inside,
      sockets,
      breaks() {
        stuck = sockets();
        relay.stdin.write('stop\n');
        return Promise.resolve();
      },
      heals() {
        relay.stdin.write('go\n');
        return Promise.resolve();
      },
      proof() {
        const waiting = kernelSockets(target.gatewayPid).filter((s) => s.localPort === port && stuck.some((one) => one.port === s.remotePort) && s.inode !== 0);
        // One that the gateway has ended needs no proof any more.
        return Promise.resolve(waiting.every(({ unsentBytes }) => unsentBytes > 0) ? null : 'nothing waits in the send queue of the gateway');
      },
    });
  });
