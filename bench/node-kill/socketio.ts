/// <reference lib="esnext.disposable" />
/** The peer of `npm run test:cluster`: the same runs with Socket.IO 4, connection state recovery and the Redis streams adapter.
 *    node bench/node-kill/socketio.ts [--runs 100] [--clients 300] [--seed N] [--out FILE] */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { between, seeded } from '../../test/support/lab/seeded.ts';
import { nowMs } from '../../test/support/lab/time.ts';
import { listenAnywhere } from '../../test/support/ports.ts';
import { startNginx } from '../../test/support/proxies.ts';
import { need } from '../../test/support/tools.ts';
import { Helper } from '../helper.ts';
import { exitOnSignals, TemporaryFolder } from '../temporary.ts';
import { pause, until } from '../until.ts';
import { compared, PLAN, type RunRow, timesOf } from './plan.ts';
import type { Seen } from './socketio-clients.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    clients: { type: 'string', default: String(PLAN.clients) },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const [runs, first, count, seed] = [values.runs, values.first, values.clients, values.seed].map(Number) as [number, number, number, number];
const PER_PROCESS = 100;
const STREAM = 'socket.io';
const say = (text: string): unknown => process.stdout.write(`${text}\n`);

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAnywhere(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Node {
  readonly port: number;
  readonly #redisPort: number;
  #child: ChildProcess | null = null;

  constructor(port: number, redisPort: number) {
    this.port = port;
    this.#redisPort = redisPort;
  }

  async start(): Promise<void> {
    const program = new URL('./socketio-node.ts', import.meta.url);
    const child = fork(program, [String(this.#redisPort), String(this.port)], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    await once(child, 'message', { signal: AbortSignal.timeout(30_000) });
  }

  async kill(): Promise<void> {
    if (this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** Pieces of a run that the adapter has put into its stream, by room: what its recovery could send again. */
async function loggedPieces(redis: Redis, run: number): Promise<ReadonlyMap<string, readonly number[]>> {
  const logged = new Map<string, number[]>();
  let from = '-';
  for (;;) {
    const entries = await redis.xrange(STREAM, from, '+', 'COUNT', 2_000);
    for (const [, fields] of entries) {
      const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
      if (field('type') !== '3') continue;
      const { packet, opts } = JSON.parse(field('data')) as {
        readonly packet: { readonly data: readonly unknown[] };
        readonly opts: { readonly rooms: readonly string[] };
      };
      const told = packet.data[1] as { readonly run: number; readonly piece: number } | undefined;
      if (told?.run !== run) continue;
      for (const room of opts.rooms) logged.set(room, [...(logged.get(room) ?? []), told.piece]);
    }
    const last = entries.at(-1)?.[0];
    if (last === undefined || entries.length < 2_000) return logged;
    from = `(${last}`;
  }
}

exitOnSignals();
await main();
process.exit(process.exitCode ?? 0);

async function main(): Promise<void> {
  const { path, missing } = need('redis-server');
  if (path === null) throw new Error(missing);
  using folder = new TemporaryFolder();
  await using cleanUp = new AsyncDisposableStack();
  const redisPort = await freePort();
  const server = spawn(
    path,
    ['--port', String(redisPort), '--bind', '127.0.0.1', '--dir', folder.path, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
    { stdio: 'ignore' },
  );
  cleanUp.defer(() => void server.kill('SIGKILL'));
  const redis = new Redis({ port: redisPort, host: '127.0.0.1' });
  // It is tried again until the server listens.
  redis.on('error', () => {});
  cleanUp.defer(() => redis.disconnect());
  await redis.ping();
  const nodes: Node[] = [];
  for (let i = 0; i < PLAN.nodes; i++) nodes.push(new Node(await freePort(), redisPort));
  for (const node of nodes) cleanUp.defer(() => node.kill());
  await Promise.all(nodes.map((node) => node.start()));
  const proxy = cleanUp.use(await startNginx({ upstream: nodes.map(({ port }) => `http://127.0.0.1:${port}`) }));
  const crowds = Array.from({ length: Math.ceil(count / PER_PROCESS) }, (_, i) => {
    const here = Math.min(PER_PROCESS, count - i * PER_PROCESS);
    return cleanUp.use(new Helper(join('node-kill', 'socketio-clients.ts'), [proxy.url, String(i * PER_PROCESS), String(here), String(PLAN.together)]));
  });
  const sum = async (what: string): Promise<number> => (await Promise.all(crowds.map((crowd) => crowd.ask<number>(what)))).reduce((a, b) => a + b, 0);
  await until('all clients to be connected', async () => (await sum('connected')) === count);

  const random = seeded(seed);
  const rows: RunRow[] = [];
  for (let run = first; run < first + runs; run++) {
    const killed = between(random, 0, PLAN.nodes - 1);
    const killAfterMs = between(random, ...PLAN.killAfterMs);
    const began = performance.now();
    await Promise.all(crowds.map((crowd) => crowd.ask('begin', { run, pieces: PLAN.pieces, perSecond: PLAN.perSecond })));
    await until('all answers to have begun', async () => (await sum('begun')) === count);
    await pause(killAfterMs);
    const killedAt = nowMs();
    await nodes[killed]?.kill();
    await pause(PLAN.downMs);
    await nodes[killed]?.start();
    await pause(Math.max(0, (PLAN.pieces / PLAN.perSecond) * 1_000 + 1_000 - (performance.now() - began)));
    await until('all clients to be back', async () => (await sum('connected')) === count);
    await pause(1_000);
    const logged = await loggedPieces(redis, run);
    const seen = (await Promise.all(crowds.map((crowd) => crowd.ask<readonly Seen[]>('seen')))).flat();
    const row = rowOf({ run, killed, killAfterMs, killedAt, logged, seen });
    rows.push(row);
    if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify(row)}\n`);
    say(
      `run ${run}: ${row.affected} of ${row.clients} clients on node ${killed}; lost ${row.lost} (${row.losers} clients, ${row.mostLost} at most), doubled ${row.doubled}, reordered ${row.reordered}, back p50 ${row.backMs.p50} max ${row.backMs.max} ms, recovered ${seen.filter(({ recovered }) => recovered).length}`,
    );
    await redis.xtrim(STREAM, 'MAXLEN', 20_000);
    await Promise.all(crowds.map((crowd) => crowd.ask('reload', { share: 1 / PLAN.nodes })));
    await until('all clients to be connected', async () => (await sum('connected')) === count);
  }
  const total = (of: (row: RunRow) => number): number => rows.reduce((all, row) => all + of(row), 0);
  say(
    `${rows.length} runs: ${total((r) => r.expected)} pieces expected, ${total((r) => r.lost)} lost, ${total((r) => r.doubled)} doubled, ${total((r) => r.reordered)} reordered; ${(
      total((r) => r.lost) /
        Math.max(
          1,
          total((r) => r.affected),
        )
    ).toFixed(1)} lost per client of a killed node`,
  );
}

function rowOf(o: {
  run: number;
  killed: number;
  killAfterMs: number;
  killedAt: number;
  logged: ReadonlyMap<string, readonly number[]>;
  seen: readonly Seen[];
}): RunRow {
  const affected = o.seen.filter(({ lostAt }) => lostAt !== null && lostAt >= o.killedAt - 50);
  const verdicts = o.seen.map(({ room, pieces }) => compared(o.logged.get(room) ?? [], pieces));
  const sum = (of: 'lost' | 'doubled' | 'reordered'): number => verdicts.reduce((all, verdict) => all + verdict[of], 0);
  return {
    peer: 'socketio',
    run: o.run,
    killed: o.killed,
    killAfterMs: o.killAfterMs,
    clients: o.seen.length,
    affected: affected.length,
    expected: o.seen.reduce((all, { room }) => all + (o.logged.get(room)?.length ?? 0), 0),
    lost: sum('lost'),
    doubled: sum('doubled'),
    reordered: sum('reordered'),
    losers: verdicts.filter(({ lost }) => lost > 0).length,
    mostLost: Math.max(0, ...verdicts.map(({ lost }) => lost)),
    backMs: timesOf(affected.flatMap(({ backAt }) => (backAt === null ? [] : [backAt - o.killedAt]))),
    hostLoad: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}
