import { type Cell, type CellResult, resultOf, used } from '../cell.ts';
import type { Checked } from '../generator/checker.ts';
import type { Sample } from '../peers/host.ts';
import type { Variant } from '../run.ts';
import { pause, until } from '../until.ts';

const IN_FLIGHT = 100;
const WARM_UP = 300;
const IDLE_MS = 10_000;
const UNACKED_TOKENS = 256;
const FAR_BEHIND_TOKENS = 4_000;
/** Seats that one user may hold at most, and places in their queue: the defaults. */
const HARD_LIMIT = 25;
const QUEUE_PLACES = 10;
/** A frame just within what a stranger may send, begun and not ended. */
const STRANGERS_FRAME_BYTES = 60 * 1024;

const held = ({ heapBytes, externalBytes }: Sample): number => heapBytes + externalBytes;

/** Memory of a server on which people were and whose code has run, before those that are measured come. */
async function warmedUp(cell: Cell, stage: 'seated' | 'following' = 'seated'): Promise<Sample> {
  await cell.connect({ first: cell.n, count: WARM_UP, inFlight: IN_FLIGHT, spillway: { stage } });
  await cell.leave(false);
  await pause(500);
  return cell.sample(true);
}

/** What `n` connections cost that do nothing: memory each, and CPU of the pings. */
async function idle(cell: Cell): Promise<CellResult> {
  await cell.start({ connections: 0 });
  const base = await warmedUp(cell);
  await cell.connect({ first: 0, inFlight: IN_FLIGHT });
  const full = await cell.sample(true);
  await cell.begin();
  const before = await cell.sample();
  await pause(IDLE_MS);
  const server = used(before, await cell.sample());
  return memoryResult(cell, full, {
    rssEach: (full.rssBytes - base.rssBytes) / cell.n,
    heapEach: (full.heapBytes - base.heapBytes) / cell.n,
    externalEach: (full.externalBytes - base.externalBytes) / cell.n,
    idleCpuMsPerS: ((server.cpuUserMs + server.cpuSysMs) * 1_000) / IDLE_MS,
  });
}

/** All come, all leave, all come again. */
async function refill(cell: Cell): Promise<CellResult> {
  await cell.start({ connections: 0 });
  const base = await warmedUp(cell);
  await cell.connect({ first: 0, inFlight: IN_FLIGHT });
  const full = await cell.sample(true);
  await cell.leave(false);
  await pause(2_000);
  const empty = await cell.sample(true);
  await cell.connect({ first: 0, inFlight: IN_FLIGHT });
  const again = await cell.sample(true);
  return memoryResult(cell, again, {
    returnedShare: (held(full) - held(empty)) / (held(full) - held(base)),
    rssReturnedShare: (full.rssBytes - empty.rssBytes) / (full.rssBytes - base.rssBytes),
    secondFillRss: again.rssBytes / full.rssBytes,
    secondFillHeld: held(again) / held(full),
  });
}

/** Every client has a run of its own and acknowledges nothing of what it says. The log is a file, so that it is not in these figures. */
async function unacked(cell: Cell): Promise<CellResult> {
  await followed(cell);
  const base = await cell.sample(true);
  await cell.clients('answers', false);
  const { sent } = await cell.load({ kind: 'turns', turns: UNACKED_TOKENS });
  await cell.act('settled');
  await pause(1_000);
  const full = await cell.sample(true);
  await cell.clients('answers', true);
  const delivery = await cell.settle(sent);
  return memoryResult(cell, full, { heldEach: (held(full) - held(base)) / cell.n, rssEach: (full.rssBytes - base.rssBytes) / cell.n }, delivery);
}

/** Clients that read nothing any more, against themselves while they kept up with as many tokens. */
async function slow(cell: Cell): Promise<CellResult> {
  await followed(cell);
  const base = await cell.sample(true);
  const first = await cell.load({ kind: 'turns', turns: FAR_BEHIND_TOKENS });
  await cell.settle(first.sent);
  const kept = await cell.sample(true);
  await cell.clients('stopReading');
  const second = await cell.load({ kind: 'turns', turns: FAR_BEHIND_TOKENS });
  await cell.act('settled');
  await pause(1_000);
  const behind = await cell.sample(true);
  await cell.clients('readAgain');
  const delivery = await cell.settle(second.sent, 30_000);
  const keptEach = (held(kept) - held(base)) / cell.n;
  return memoryResult(
    cell,
    behind,
    { keptEach, heldEach: (held(behind) - held(kept)) / cell.n, slowEach: (held(behind) - held(kept)) / cell.n - keptEach },
    delivery,
  );
}

async function followed(cell: Cell): Promise<void> {
  await cell.start({ store: 'sqlite' });
  await warmedUp(cell, 'following');
  await cell.connect({ first: 0, spillway: { stage: 'following', asks: true } });
  const { sent } = await cell.load({ kind: 'turns', turns: 4 });
  await cell.settle(sent);
}

/** Managers whose clients are gone without a word: the seat is kept for them. */
async function detached(cell: Cell): Promise<CellResult> {
  await cell.start({ connections: 0 });
  const base = await warmedUp(cell);
  await cell.connect({ first: 0, inFlight: IN_FLIGHT });
  await cell.leave(true);
  await until('every transport to be gone', async () => (await cell.act<{ readonly attached: number }>('status')).attached === 0);
  await pause(1_000);
  const full = await cell.sample(true);
  return memoryResult(cell, full, { heldEach: (held(full) - held(base)) / cell.n, rssEach: (full.rssBytes - base.rssBytes) / cell.n });
}

async function evicted(cell: Cell): Promise<CellResult> {
  await cell.start({ connections: 0 });
  const base = await warmedUp(cell);
  await cell.connect({ first: 0, inFlight: IN_FLIGHT });
  await cell.act('evictAll');
  await cell.leave(true);
  await pause(2_000);
  const full = await cell.sample(true);
  return memoryResult(cell, full, { heldEach: (held(full) - held(base)) / cell.n, rssEach: (full.rssBytes - base.rssBytes) / cell.n });
}

/** Users with all their seats taken by living sessions, and then ten more each, who wait. */
async function queued(cell: Cell): Promise<CellResult> {
  const users = Math.max(1, Math.floor(cell.n / QUEUE_PLACES));
  await cell.start({ connections: 0 });
  await cell.connect({ first: 0, count: users * HARD_LIMIT, spillway: { stage: 'seated', users } });
  const base = await cell.sample(true);
  await cell.connect({ count: users * QUEUE_PLACES, inFlight: users * QUEUE_PLACES });
  const full = await cell.sample(true);
  const { queued: waiting } = await cell.act<{ readonly queued: number }>('status');
  return memoryResult(cell, full, { waiting, heldEach: (held(full) - held(base)) / (users * QUEUE_PLACES) });
}

/** Strangers who have been let in by HTTP, begin a frame and do not end it; above what their connections took before. */
async function strangers(cell: Cell): Promise<CellResult> {
  await cell.start({ connections: 0 });
  await warmedUp(cell);
  await cell.connect({ first: 0, inFlight: IN_FLIGHT, spillway: { stage: 'opened' } });
  const base = await cell.sample(true);
  await cell.clients('beginFrame', STRANGERS_FRAME_BYTES);
  await pause(2_000);
  const full = await cell.sample(true);
  return memoryResult(cell, full, { heldEach: (held(full) - held(base)) / cell.n, alive: await cell.alive() });
}

async function memoryResult(cell: Cell, full: Sample, figures: Readonly<Record<string, number>>, delivery?: Checked): Promise<CellResult> {
  const { rssBytes, heapBytes, externalBytes } = full;
  return resultOf({
    unit: 'connection',
    units: cell.n,
    wallMs: 0,
    server: { cpuUserMs: 0, cpuSysMs: 0, rssBytes, heapBytes, externalBytes },
    traffic: await cell.traffic(),
    ...(delivery === undefined ? {} : { delivery }),
    figures,
  });
}

const everybodys = (name: string, defaultN: number, measure: Variant['measure']): Variant => ({
  scenario: 'memory',
  name,
  peers: ['spillway', 'ws', 'socketio'],
  defaultN,
  measure,
});
const ours = (name: string, defaultN: number, measure: Variant['measure']): Variant => ({ scenario: 'memory', name, peers: ['spillway'], defaultN, measure });

export const MEMORY: readonly Variant[] = [
  everybodys('idle-5000', 5_000, idle),
  everybodys('idle-19000', 19_000, idle),
  everybodys('refill', 5_000, refill),
  ours('unacked', 1_000, unacked),
  ours('slow', 200, slow),
  ours('detached', 2_000, detached),
  ours('evicted', 2_000, evicted),
  ours('queued', 200, queued),
  ours('strangers', 200, strangers),
];
