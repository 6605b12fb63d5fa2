/** Clients behind real reverse proxies that die, or whose link to the proxy is cut. */

import { portsOfProcess } from '../../support/peers/kernel.ts';
import { startHaproxy, startNginx } from '../../support/proxies.ts';
import type { Make } from '../row.ts';
import { GATEWAY_ADDRESS } from './net-enter.ts';
import { namespace } from './net-lab.ts';
import { owning, portOf, type Setting, seatedIn } from './net-subject.ts';

const START = { nginx: startNginx, haproxy: startHaproxy } as const;
export type ProxyKind = keyof typeof START;

/** Each client has a proxy of its own, so that the proxy's connection is the client's. */
const socketsOfProxy =
  (pids: () => readonly number[], gatewayPort: number): Setting['sockets'] =>
  () =>
    [...portsOfProcess(pids().at(-1) ?? 0, gatewayPort)].map((port) => ({ address: '127.0.0.1', port }));

/** F05b and F05c, client killed. */
export const killedBehind =
  (kind: ProxyKind): Make =>
  (o) =>
    owning(async (cleanUp) => {
      const port = portOf(o.target);
      const proxy = cleanUp.use(await START[kind]({ upstream: `http://127.0.0.1:${port}` }));
      return await seatedIn({
        o,
        cleanUp,
        url: proxy.url,
        sockets: socketsOfProxy(proxy.pids, port),
        breaks: () => Promise.resolve(),
        heals: () => Promise.resolve(),
        proof: () => Promise.resolve(proxy.pids().length === 0 ? 'the proxy has ended' : null),
        isKilled: true,
      });
    });

/** F05b and F05c, link cut between client and proxy. */
export const cutBehind =
  (kind: ProxyKind): Make =>
  (o) =>
    owning(async (cleanUp) => {
      const port = portOf(o.target);
      const proxy = cleanUp.use(await START[kind]({ upstream: `http://127.0.0.1:${port}`, address: GATEWAY_ADDRESS }));
      const place = cleanUp.use(await namespace());
      await place.untilReached(proxy.port);
      return await seatedIn({
        o,
        cleanUp,
        url: proxy.url,
        inside: place.inside,
        sockets: socketsOfProxy(proxy.pids, port),
        breaks: () => place.run('ip', 'link', 'set', 'eth0', 'down'),
        heals: () => place.run('ip', 'link', 'set', 'eth0', 'up'),
        proof: async () => ((await place.reaches(proxy.port)) ? 'a fresh connection to the proxy came about' : null),
        isSilenced: true,
      });
    });
