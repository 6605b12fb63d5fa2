/** One contestant in a process of its own:  node --expose-gc peers/host.ts NAME  (it is asked over IPC). */
import { answer } from '../helper.ts';
import { csrPeer } from './csr.ts';
import { type Load, LoadMaker } from './load.ts';
import type { Peer, PeerName, PeerOptions } from './peer.ts';
import { socketIoPeer } from './socketio.ts';
import { spillwayPeer } from './spillway.ts';
import { wsPeer } from './ws.ts';

const MAKERS: Readonly<Record<PeerName, (options: PeerOptions) => Peer | Promise<Peer>>> = {
  spillway: spillwayPeer,
  ws: wsPeer,
  socketio: (options) => socketIoPeer(options),
  csr: csrPeer,
};

/** Process figures: CPU since its start, memory of this instant. */
export interface Sample {
  readonly cpuUserMs: number;
  readonly cpuSysMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

let peer: Peer | null = null;
let loads: LoadMaker | null = null;

function sample(): Sample {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuUserMs: user / 1_000, cpuSysMs: system / 1_000, rssBytes: rss, heapBytes: heapUsed, externalBytes: external };
}

/** Collects until nothing more comes back: what a first collection frees may hold more. */
async function collected(): Promise<Sample> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return sample();
}

function running(): Peer {
  if (peer === null) throw new Error('Expected `start` first.');
  return peer;
}

answer({
  async start({ connections, ...options }: PeerOptions & { readonly connections: number }) {
    peer = await MAKERS[process.argv[2] as PeerName](options);
    loads = new LoadMaker(connections, peer.send);
    return { port: await peer.start(), versions: peer.versions };
  },
  load: (load: Load) => loads?.run(load),
  sample: ({ collect }: { readonly collect: boolean }) => (collect ? collected() : sample()),
  act: async ({ name }: { readonly name: string }) => {
    const act = running().acts?.[name];
    if (act === undefined) throw new Error(`Expected an act of this peer, got ${name}.`);
    return await act(null as never);
  },
});
