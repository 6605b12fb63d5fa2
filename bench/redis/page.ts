import type { CallFigures, NodesFigures, RenewalFigures, Row } from './rows.ts';

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 0);
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** docs/redis-benchmark.md, made from what was measured. */
export function pageOf(rows: ReadonlyMap<Row['scenario'], Row>): string {
  const parts = [rows.get('scripts'), rows.get('renewals'), rows.get('nodes')].flatMap((row) => (row === undefined ? [] : part(row)));
  return [
    '# What a shared Redis costs',
    '',
    '<!-- Made by `node bench/redis/main.ts`; the figures stand in bench/redis/results/redis.jsonl. -->',
    '',
    'A real `redis-server` with an append-only file (`appendfsync everysec`) on loopback, and the store of `spillway/redis` in processes of its own. No sockets,',
    'agents or browsers: what a gateway does besides is in [benchmarks.md](benchmarks.md).',
    '',
    ...parts,
    'Reproduce: `node bench/redis/main.ts` (about a minute and a half).',
    '',
  ].join('\n');
}

function part(row: Row): readonly string[] {
  switch (row.scenario) {
    case 'scripts':
      return [...calls(row.figures), ...where(row)];
    case 'renewals':
      return [...keeping(row.figures), ...where(row)];
    case 'nodes':
      return [...together(row.figures), ...where(row)];
  }
}

function calls(figures: readonly CallFigures[]): readonly string[] {
  const ping = figures.find((one) => one.call === 'PING');
  return [
    '## One call',
    '',
    'Each kind of call 3,000 times, one after the other over one connection, as its caller sees it; a user with 20 seats of 20. On the server: the time of the',
    'script there, by its own count.',
    '',
    '| call | p50 | p99 | p50 over PING | on the server |',
    '| --- | --- | --- | --- | --- |',
    ...figures.map(
      ({ call, p50Ms, p99Ms, serverUs }) =>
        `| ${call} | ${ms(p50Ms)} ms | ${ms(p99Ms)} ms | ${ping === undefined || call === 'PING' ? '' : `${(p50Ms / ping.p50Ms).toFixed(1)} ×`} | ${serverUs === null ? '' : `${whole(serverUs)} µs`} |`,
    ),
    '',
  ];
}

function keeping(figures: readonly RenewalFigures[]): readonly string[] {
  return [
    '## Keeping 10,000 seats',
    '',
    'A node renews the seats of its managers every 10 s (`lease.renewMs`): one script a user, 200 users at once, so that others are served in between. Medians of 7.',
    '',
    '| managers | of users | one renewal | CPU of Redis | share of its core | CPU of the node | longest PING of another meanwhile |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...figures.map(
      ({ managers, users, ms: took, redisCpuMs, nodeCpuMs, pingMaxMs }) =>
        `| ${whole(managers)} | ${whole(users)} | ${ms(took)} ms | ${ms(redisCpuMs)} ms | ${(redisCpuMs / 100).toFixed(1)} % | ${ms(nodeCpuMs)} ms | ${ms(pingMaxMs)} ms |`,
    ),
    '',
  ];
}

function together(figures: readonly NodesFigures[]): readonly string[] {
  return [
    '## Nodes on one Redis',
    '',
    'One, two and three node processes, each as fast as it can, for 4 s. An admission is a seat taken and given back, 64 under way a node. Events are appended to',
    '64 streams a node in one batch after the other, as a group commit does: one event a stream, or eight. Node processes and Redis share the cores, so what a',
    'second and third node add is bounded by this machine; the CPU for each is what carries over to others.',
    '',
    '| work | nodes | a second | a second and node | CPU of Redis for each | CPU of a node for each | Redis uses of a core |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...figures.map(
      ({ work, nodes, perS, redisCpuUs, nodeCpuUs, redisShare }) =>
        `| ${work} | ${nodes} | ${whole(perS)} | ${whole(perS / nodes)} | ${whole(redisCpuUs)} µs | ${whole(nodeCpuUs)} µs | ${percent(redisShare)} |`,
    ),
    '',
  ];
}

function where({ at, commit, machine, host, node, redis }: Row): readonly string[] {
  const others =
    host.busy || host.othersShare > 0.1 ? ` **The host was busy**: load ${host.loadBefore} at the start, which spreads times and lowers rates.` : '';
  return [
    `Measured ${at.slice(0, 10)} at \`${commit}\`, Redis ${redis}, Node.js ${node}, ${machine.cores} cores of ${machine.cpu}, Linux ${machine.kernel}, loopback.${others}`,
    '',
  ];
}
