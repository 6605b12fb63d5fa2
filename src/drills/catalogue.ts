import type { Options } from '../core/options.ts';
import type { DrillInfo } from '../protocol/drills.ts';

/** Sockets that a drill opens at most. */
export const MOST_SOCKETS = 200;
/** A drill that takes longer is stopped. */
export const LONGEST_MS = 300_000;

/** What drills there are. How many clients those start that fill up a user goes by the limits of the gateway. `isShared`: several gateways
 *  have one store. */
export function drillCatalogue({ limits }: Pick<Options, 'limits'>, isShared: boolean = false): readonly DrillInfo[] {
  return CATALOGUE.map(({ clients, besides, shared, ...alone }) => {
    const info = isShared && shared !== undefined ? { ...alone, ...shared } : alone;
    const most = MOST_SOCKETS - besides;
    return { ...info, count: { default: Math.min(clients === 'full' ? limits.perUser : clients === 'overfull' ? limits.perUser * 2 : clients, most), most } };
  });
}

interface Entry extends Omit<DrillInfo, 'count'> {
  /** How many unless it is told otherwise; `full`: the limit of a user; `overfull`: twice that. */
  readonly clients: number | 'full' | 'overfull';
  /** Sockets that it opens besides those of its clients: two for one behind a proxy. */
  readonly besides: number;
  /** What is different where gateways share a store. */
  readonly shared?: Pick<DrillInfo, 'how' | 'mustHappen'>;
}

const CATALOGUE: readonly Entry[] = [
  {
    name: 'frozen-tabs',
    title: 'Frozen tabs',
    how: 'Tabs whose page process is stopped by SIGSTOP in the middle of an answer, while another process has their sockets and goes on answering pings.',
    mustHappen: 'They are found dead although every ping is answered; whoever comes next is seated and gets a whole answer.',
    clients: 'full',
    besides: 1,
  },
  {
    name: 'suspended',
    title: 'Suspended process',
    how: 'SIGSTOP to a process while events stream to its tabs: the sockets stay open and take what is sent, and nobody is there.',
    mustHappen: 'They are found dead in time although every send succeeds; when the process goes on, nothing is missing.',
    clients: 5,
    besides: 1,
  },
  {
    name: 'auto-pong-proxy',
    title: 'A proxy that answers for the dead',
    how: 'Tabs connect through a proxy that ends WebSockets on both sides. Their process is killed; the proxy keeps its sockets to the gateway and answers the pings.',
    mustHappen: 'They are found dead although every ping is answered; whoever comes next is seated and gets a whole answer.',
    clients: 'full',
    besides: 1 + MOST_SOCKETS / 2,
  },
  {
    name: 'slow-reader',
    title: 'Slow reader',
    how: 'Tabs stop reading their sockets in the middle of an answer, while large messages come for them: their TCP windows close.',
    mustHappen: 'What is held for them stays bounded; when they read again, nothing is missing.',
    clients: 1,
    besides: 1,
  },
  {
    name: 'leaky-tabs',
    title: 'Leaky tabs',
    how: 'An application opens a tab again and again for a minute and forgets each. All of them work.',
    mustHappen: 'Burst, queue and notices; every single one gets a seat, and nobody is refused.',
    clients: 'overfull',
    besides: 0,
  },
  {
    name: 'crash',
    title: 'Crash',
    how: 'A gateway of its own, with its own store file, is killed by SIGKILL in the middle of an answer and started again.',
    mustHappen: 'Every tab is back by itself, with exactly what the store has, and the interrupted answer ends visibly.',
    shared: {
      how: 'A second gateway on the shared store is killed by SIGKILL in the middle of an answer; another node takes its address.',
      mustHappen: 'Every tab is back by itself, its seat taken over, with exactly what the store has, and the interrupted answer ends visibly.',
    },
    clients: 5,
    besides: 0,
  },
  {
    name: 'store-stall',
    title: 'Stalled store',
    how: 'Another process holds the write lock of the SQLite file for 3 seconds while an answer is under way.',
    mustHappen: 'Logins go on meanwhile, and the answer is whole.',
    shared: {
      how: 'CLIENT PAUSE: the shared Redis or Valkey answers no gateway for 3 seconds while an answer is under way.',
      mustHappen: 'Logins go on meanwhile, by the limits of the gateway alone, and the answer is whole.',
    },
    clients: 5,
    besides: 1,
  },
  {
    name: 'drain',
    title: 'Drain',
    how: 'A gateway of its own is asked to stop by SIGTERM while 200 tabs follow answers; another takes its place.',
    mustHappen: 'Clients are moved one by one, come back by themselves, and no answer has a gap.',
    clients: MOST_SOCKETS,
    besides: 0,
  },
];
