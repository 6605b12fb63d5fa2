import { type Cell, type CellResult, NOTHING_USED, plus, resultOf, used } from '../cell.ts';
import type { Sample } from '../peers/host.ts';
import type { Load } from '../peers/load.ts';
import type { Row } from '../row.ts';
import type { Variant } from '../run.ts';

const TOKENS_PER_SECOND = 30;
const PACED_SECONDS = 8;
const WARM_UP = { kind: 'timed', perSecond: TOKENS_PER_SECOND, burst: 1, seconds: 2 } as const;
const MAX_TOKENS = 120_000;
const OVERLOAD_SECONDS = 30;
const OVERLOAD_FACTOR = 3;
const WARM_UP_OVERLOAD = 5;
const SETTLE_MS = 30_000;

/** Everything sent is waited for; CPU and time count to the last token. */
async function stream(cell: Cell, load: Load, warmUp: Load & { readonly kind: 'timed' } = WARM_UP): Promise<CellResult> {
  await cell.start();
  await cell.connect();
  const warm = await cell.load({ ...warmUp, seconds: Math.min(warmUp.seconds, cell.seconds ?? warmUp.seconds) });
  await cell.settle(warm.sent);
  await cell.begin();
  const before = await cell.sample();
  const report = await cell.load(load);
  const delivery = await cell.settle(report.sent);
  const after = await cell.sample();
  const traffic = await cell.traffic();
  return resultOf({
    unit: 'token',
    units: report.tokens,
    wallMs: traffic.spanMs,
    server: used(before, after),
    traffic,
    delivery,
    figures: { perSecond: (report.tokens * 1_000) / traffic.spanMs, bytesPerToken: traffic.bytes / report.tokens },
  });
}

/** Asked for three times what `ws` reached in `max`, over three thirds: what counts is what arrives while it is asked. Between the thirds
 *  memory is looked at, outside of what is measured. */
async function overload(cell: Cell, before: readonly Row[]): Promise<CellResult> {
  const reached = before.find((row) => row.variant === 'max' && row.peer === 'ws')?.figures.perSecond;
  if (reached === undefined) throw new Error('Expected `max` of `ws` earlier in this repetition: name `max overload`, and `ws` among the peers.');
  const perSecond = (reached * OVERLOAD_FACTOR) / cell.n;
  await cell.start();
  await cell.connect();
  const warm = await cell.load({ ...WARM_UP, perSecond: WARM_UP_OVERLOAD });
  await cell.settle(warm.sent);
  await cell.begin();
  const start: Look = { held: held(await cell.sample(true)), made: total(warm.sent) };
  const looks: Look[] = [];
  let [delivered, wallMs, socketBytes] = [0, 0, 0];
  let server = NOTHING_USED;
  let sent = warm.sent;
  for (let third = 0; third < 3; third++) {
    const [first, had] = [await cell.sample(), (await cell.traffic()).tokens];
    const watch = cell.watchSockets();
    const report = await cell.load({ kind: 'timed', perSecond, burst: 1, seconds: OVERLOAD_SECONDS / 3 });
    const [last, has] = [await cell.sample(), (await cell.traffic()).tokens];
    socketBytes = Math.max(socketBytes, watch.end());
    server = plus(server, used(first, last));
    delivered += has - had;
    wallMs += report.wallMs;
    sent = report.sent;
    looks.push({ held: held(await cell.sample(true)), made: total(sent) });
  }
  const traffic = await cell.traffic();
  const delivery = await cell.settle(sent, SETTLE_MS);
  const rest = held(await cell.sample(true));
  return resultOf({
    unit: 'token',
    units: delivered,
    wallMs,
    server,
    traffic,
    delivery,
    figures: {
      perSecond: (delivered * 1_000) / wallMs,
      askedPerSecond: perSecond * cell.n,
      bytesPerToken: traffic.bytes / Math.max(1, traffic.tokens),
      socketBytes,
      unloggedGrowth: unloggedGrowth(start, looks as [Look, Look, Look], { held: rest, made: total(sent) }),
    },
  });
}

/** Memory at an instant, and tokens made until then. */
interface Look {
  readonly held: number;
  readonly made: number;
}

/** By what share memory grew in the last third beyond what the tokens themselves take, where they are kept: what one takes is what is left
 *  of each when all are delivered. */
function unloggedGrowth(start: Look, [, second, third]: readonly [Look, Look, Look], end: Look): number {
  const perToken = (end.held - start.held) / (end.made - start.made);
  return (third.held - second.held - perToken * (third.made - second.made)) / second.held;
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
const held = ({ heapBytes, externalBytes }: Sample): number => heapBytes + externalBytes;

const EVERYBODY = ['spillway', 'ws', 'socketio', 'csr'] as const;

export const STREAM: readonly Variant[] = [
  {
    scenario: 'stream',
    name: 'paced',
    peers: EVERYBODY,
    defaultN: 500,
    measure: (cell) => stream(cell, { kind: 'timed', perSecond: TOKENS_PER_SECOND, burst: 1, seconds: cell.seconds ?? PACED_SECONDS }),
  },
  {
    scenario: 'stream',
    name: 'burst8',
    peers: EVERYBODY,
    defaultN: 500,
    measure: (cell) =>
      stream(cell, { kind: 'timed', perSecond: TOKENS_PER_SECOND, burst: 8, seconds: cell.seconds ?? PACED_SECONDS }, { ...WARM_UP, burst: 8 }),
  },
  {
    scenario: 'stream',
    name: 'max',
    peers: ['spillway', 'ws', 'socketio'],
    defaultN: 500,
    measure: (cell) => stream(cell, { kind: 'turns', turns: Math.ceil(MAX_TOKENS / cell.n) }),
  },
  { scenario: 'stream', name: 'overload', peers: ['spillway', 'ws'], defaultN: 2_000, measure: overload },
];
