import { seeded } from '../../support/lab/seeded.ts';
import { nowMs } from '../../support/lab/time.ts';
import { unreadBytes, until } from '../../support/peers/kernel.ts';
import { type Road, type TcpRelay, tcpRelay } from '../../support/peers/tcp-relay.ts';
import type { HostedClient } from '../clients/host.ts';
import type { Make, MakeOptions, Subject } from '../row.ts';
import { hostedSubject, openIn, portOf, sharedHost } from './hosted.ts';

interface Relayed {
  readonly client: HostedClient;
  readonly relay: TcpRelay;
}

/** A client behind a relay of its own; `own` says what the road becomes and what proves it. */
async function behindRelay(
  o: MakeOptions,
  own: (of: Relayed) => Pick<Subject, 'proof'> & Partial<Subject> & { readonly road: Road; readonly onBreak?: () => void; readonly onHeal?: () => void },
  measures = false,
): Promise<Subject> {
  const relay = await tcpRelay(portOf(o.target.url));
  const client = await openIn(sharedHost(o.target, 'relayed'), o, { url: `ws://127.0.0.1:${relay.port}/v1/ws`, measures });
  const { road, onBreak, onHeal, ...more } = own({ client, relay });
  return hostedSubject(o, () => client, {
    sockets: () => relay.upstreamPorts().map((port) => ({ address: '127.0.0.1', port })),
    async breaks() {
      relay.become(road);
      onBreak?.();
    },
    async heals() {
      relay.become({ is: 'clear' });
      onHeal?.();
    },
    ...more,
    async [Symbol.asyncDispose]() {
      await client.close();
      await relay[Symbol.asyncDispose]();
    },
  });
}

/** After healing a client is seated within this. */
const BACK_MS = 35_000;
/** Redial of a client starts so soon after the last frame it saw. */
const REDIAL_MS = 30_000;

/** F03p: both directions vanish, all sockets stay. */
export const swallowed: Make = (o) =>
  behindRelay(o, ({ client, relay }) => {
    const { divisor, slackMs } = o.target.times;
    let brokenAt = 0;
    let healedAt: number | null = null;
    const redialMs = (): number | null => {
      const dial = client.dials.find(({ at }) => at > brokenAt);
      return dial === undefined ? null : dial.at - brokenAt;
    };
    return {
      road: { is: 'swallow' },
      onBreak() {
        brokenAt = nowMs();
      },
      onHeal() {
        healedAt = nowMs();
      },
      proof: async () => (relay.swallowed() > 0 ? null : 'nothing was swallowed'),
      async broken() {
        const ms = redialMs();
        const broken: string[] = [];
        if (ms === null || ms > REDIAL_MS / divisor + slackMs)
          broken.push(
            `the client dialled again ${ms === null ? 'never' : `after ${Math.round(ms)} ms`}, ${REDIAL_MS / divisor} ms after its last frame were expected`,
          );
        if (healedAt !== null && (client.liveAt < healedAt || client.liveAt - healedAt > BACK_MS / divisor + slackMs))
          broken.push(`${Math.round(client.liveAt - healedAt)} ms after healing it had its seat, ${BACK_MS / divisor} ms were expected`);
        return broken;
      },
      notes: async () => [`own redial after ${((redialMs() ?? 0) / 1_000).toFixed(1)} s`],
    };
  });

/** Frames that no probe asked for, so that bytes go on arriving at the gateway. */
const CHATTER_MS = 1_000;

/** F07: nobody reads what the gateway writes; what the client writes arrives. */
export const unread: Make = (o) =>
  behindRelay(o, ({ client, relay }) => {
    let sentBefore = 0;
    let port = 0;
    return {
      road: { is: 'unread' },
      onBreak() {
        [port = 0] = relay.upstreamPorts();
        sentBefore = relay.sentUp();
        client.command({ do: 'chatter', everyMs: CHATTER_MS / o.target.times.divisor });
      },
      onHeal() {
        client.command({ do: 'chatter', everyMs: 0 });
      },
      async proof() {
        if (relay.sentUp() <= sentBefore) return 'nothing arrived at the gateway since';
        const isWaiting = unreadBytes(port, portOf(o.target.url)) + relay.waiting() > 0;
        return isWaiting || !relay.upstreamPorts().includes(port) ? null : 'nothing waits to be read';
      },
    };
  });

/** F08, F08b: the reader takes one byte a second. */
export const trickling: Make = (o) =>
  behindRelay(o, ({ relay }) => {
    let port = 0;
    return {
      road: { is: 'slow', bytesPerS: 1 },
      onBreak() {
        [port = 0] = relay.upstreamPorts();
      },
      proof: async () => (relay.waiting() > 0 || !relay.upstreamPorts().includes(port) ? null : 'nothing waits to be read'),
    };
  });

/** F08c: a slow reader that works: less than it is offered for a while, then it catches up. */
export const slow: Make = (o) =>
  behindRelay(
    o,
    ({ client }) => ({
      road: { is: 'slow', bytesPerS: 20_000 },
      proof: async () => ((client.lateMs.at(-1) ?? 0) >= 0 ? null : 'no event came'),
      notes: async () => [`at most ${(Math.max(0, ...client.lateMs) / 1_000).toFixed(1)} s behind`],
    }),
    true,
  );

/** Of 400 ± 200 ms each way; one chunk in ten is held, and what follows waits behind it. */
const SHAKY = { delayMs: [200, 600], heldMs: [1_500, 6_000] } as const;

/** F12p: a bad mobile link. */
export const shaky: Make = (o) =>
  behindRelay(
    o,
    ({ client }) => {
      const { divisor } = o.target.times;
      const scaled = ([from, to]: readonly [number, number]): readonly [number, number] => [from / divisor, to / divisor];
      let seen = 0;
      return {
        road: { is: 'shaky', delayMs: scaled(SHAKY.delayMs), heldMs: scaled(SHAKY.heldMs), random: seeded(o.index + 1) },
        onBreak() {
          seen = client.lateMs.length;
        },
        async proof() {
          await until('an event over the bad link', () => client.lateMs.length > seen + 2, 20_000).catch(() => {});
          const late = client.lateMs.slice(seen).some((ms) => ms >= SHAKY.delayMs[0] / divisor);
          return late ? null : 'events came as fast as before';
        },
        notes: async () => [`events up to ${(Math.max(0, ...client.lateMs) / 1_000).toFixed(1)} s late`],
      };
    },
    true,
  );
