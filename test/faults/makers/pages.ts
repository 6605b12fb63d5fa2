import type { HostedClient } from '../clients/host.ts';
import type { Make, MakeOptions, Subject } from '../row.ts';
import { hostedSubject, openIn, sharedHost } from './hosted.ts';
import { DUTY } from './processes.ts';

/** Answered pings that prove that the thread below a frozen page is awake. */
const PONGS_PROVE = 2;

async function page(o: MakeOptions, awakeMs: number, cycleMs: number): Promise<Subject> {
  const client = await openIn(sharedHost(o.target, 'pages', 'page-process.ts'), o);
  return hostedSubject(o, () => client, {
    async breaks() {
      client.command({ do: 'freeze', on: true, awakeMs, cycleMs });
    },
    proof: async () => (client.pongsWhileFrozen >= PONGS_PROVE ? null : `${client.pongsWhileFrozen} pings were answered while the page stood still`),
    async heals() {
      client.command({ do: 'freeze', on: false });
    },
    notes: async () => [`${client.pongsWhileFrozen} pings answered below the page`],
  });
}

/** F06a: the page's thread blocks; the thread that has its socket goes on answering pings. */
export const frozenPage: Make = (o) => page(o, 0, 0);

/** F11a: the page's thread is blocked but for a short while in each minute. */
export const nappingPage: Make = (o) => page(o, DUTY.awakeMs / o.target.times.divisor, DUTY.cycleMs / o.target.times.divisor);

/** How long nothing must have happened to say that nothing happens. */
const STILL_MS = 5_000;

/** F06c: the promise of the application's listener never settles. */
export const stuckHandler: Make = async (o) => {
  const client = await openIn(sharedHost(o.target, 'clients'), o);
  let before: number | null = null;
  return hostedSubject(o, () => client, {
    async breaks() {
      client.command({ do: 'stick', on: true });
    },
    async proof() {
      if (before === null) {
        await new Promise((resolve) => setTimeout(resolve, STILL_MS / o.target.times.divisor));
        before = client.applied;
      }
      return client.applied === before ? null : `it applied ${client.applied - before} events since`;
    },
    async heals() {
      client.command({ do: 'stick', on: false });
    },
  });
};

/** F06d: something below the page answers probes for it; its acknowledgements do not come. */
export const answeredFor: Make = async (o) => {
  const client = await openIn(sharedHost(o.target, 'clients'), o);
  let before = 0;
  return hostedSubject(o, () => client, {
    async breaks() {
      before = client.applied;
      client.command({ do: 'mute', on: true });
    },
    async proof() {
      return client.applied > before ? null : 'no acknowledgement was kept back';
    },
    async heals() {
      client.command({ do: 'mute', on: false });
    },
  });
};

/** C00, F10: a client that works. */
export const healthy: Make = async (o) => {
  const client: HostedClient = await openIn(sharedHost(o.target, 'control'), o, { measures: true });
  return hostedSubject(o, () => client, {
    breaks: async () => {},
    proof: async () => null,
    heals: async () => {},
  });
};
