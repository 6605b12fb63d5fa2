import { processState, until } from '../../support/peers/kernel.ts';
import { pingAnsweringProxy } from '../../support/peers/ping-answering-proxy.ts';
import { Host } from '../clients/host.ts';
import type { Make } from '../row.ts';
import { hostedSubject, openIn, portOf, wsUrlOf } from './hosted.ts';

/** F01: its process is killed; a new one goes on from the saved position. */
export const killed: Make = async (o) => {
  let host = new Host();
  let client = await openIn(host, o);
  return hostedSubject(o, () => client, {
    breaks: () => host.kill(),
    proof: async () => (host.hasEnded ? null : 'its process lives'),
    async heals() {
      host = new Host();
      client = await openIn(host, o);
    },
    [Symbol.asyncDispose]: () => host.kill(),
  });
};

/** F02: its process is stopped; its kernel goes on acknowledging. */
export const stopped: Make = async (o) => {
  const host = new Host();
  const client = await openIn(host, o);
  return hostedSubject(o, () => client, {
    async breaks() {
      host.signal('SIGSTOP');
      await until('a stopped process', () => processState(host.pid) === 'T');
    },
    proof: async () => (processState(host.pid) === 'T' ? null : `process state ${processState(host.pid)}`),
    async heals() {
      host.signal('SIGCONT');
    },
    [Symbol.asyncDispose]: () => host.kill(),
  });
};

const AWAKE_MS = 2_000;
const CYCLE_MS = 60_000;
export const DUTY = { awakeMs: AWAKE_MS, cycleMs: CYCLE_MS } as const;

/** F11c: its process is stopped but for a short while in each minute. */
export const napping: Make = async (o) => {
  const host = new Host();
  const client = await openIn(host, o);
  const awakeMs = DUTY.awakeMs / o.target.times.divisor;
  const asleepMs = DUTY.cycleMs / o.target.times.divisor - awakeMs;
  let timer: NodeJS.Timeout | undefined;
  let naps = 0;
  const sleep = (): void => {
    host.signal('SIGSTOP');
    naps++;
    timer = setTimeout(wake, asleepMs);
  };
  const wake = (): void => {
    host.signal('SIGCONT');
    timer = setTimeout(sleep, awakeMs);
  };
  return hostedSubject(o, () => client, {
    breaks: async () => sleep(),
    proof: async () => (naps > 0 ? null : 'it never slept'),
    async heals() {
      clearTimeout(timer);
      host.signal('SIGCONT');
    },
    notes: async () => [`${naps} naps`],
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await host.kill();
    },
  });
};

/** Answered pings that prove that something below the client is awake. */
const PONGS_PROVE = 2;

/** F05a: a proxy goes on answering pings for a client that was killed. */
export const proxied: Make = async (o) => {
  const proxy = await pingAnsweringProxy(wsUrlOf(o.target.url));
  const url = `ws://127.0.0.1:${proxy.port}/v1/ws`;
  let host = new Host();
  let client = await openIn(host, o, { url });
  let isHealed = false;
  const gatewayPort = portOf(o.target.url);
  return hostedSubject(o, () => client, {
    sockets: () => [{ address: '127.0.0.1', port: proxy.upstreamPort() }],
    breaks: () => host.kill(),
    async proof() {
      if (!host.hasEnded) return 'its process lives';
      if (!proxy.isUpstreamOpen() && proxy.pongsForTheDead() < PONGS_PROVE) return `the proxy lost its connection to port ${gatewayPort}`;
      return proxy.pongsForTheDead() >= PONGS_PROVE ? null : `only ${proxy.pongsForTheDead()} pings were answered for it`;
    },
    async heals() {
      isHealed = true;
      host = new Host();
      client = await openIn(host, o, { url });
    },
    notes: async () => [`${proxy.pongsForTheDead()} pings answered for the dead`],
    async [Symbol.asyncDispose]() {
      if (isHealed) await client.close();
      await host.kill();
      await proxy[Symbol.asyncDispose]();
    },
  });
};
