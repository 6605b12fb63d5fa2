import type { RedisFinding } from '../stores/redis/check.ts';
import type { Connection } from '../stores/redis/connection.ts';
import { type Finding, found } from './findings.ts';
import { duration } from './output/words.ts';
import type { RedisAddress } from './store-address.ts';

/** Questions of which the slowest twentieth is told. */
const ASKED = 40;
/** Admissions wait for two or three answers, and may take 500 ms in all; the store's own deadline is 150 ms. */
const SLOW_MS = 10;
const TOO_SLOW_MS = 75;
/** Leases and queues run by the store's clock, tokens of people by the nodes'. */
const SKEW_MS = 1_000;
const TOO_MUCH_SKEW_MS = 10_000;
/** What a failover would lose. */
const LAG_BYTES = 1_048_576;
const LAG_S = 10;

const NAMES: Readonly<Record<RedisFinding['name'], string>> = {
  version: 'store version',
  mode: 'store layout',
  role: 'store role',
  eviction: 'store eviction policy',
  persistence: 'store persistence',
  permissions: 'store permissions',
  write: 'store',
};

/** Everything that can be said of a Redis or Valkey before a gateway depends on it. Writes one key, which ends by itself. */
export async function redisFindings(options: RedisAddress): Promise<Finding[]> {
  const [{ Connection: Way }, { checkRedis }] = await Promise.all([import('../stores/redis/connection.ts'), import('../stores/redis/check.ts')]);
  try {
    await using connection = new Way(options);
    await connection.open();
    const findings = (await checkRedis(connection)).map(({ name, is, detail, help }) =>
      found(NAMES[name], is === 'wrong' ? 'problem' : is, help === null ? detail : `${detail} ${help}`),
    );
    if (findings.some(({ result }) => result === 'problem')) return findings;
    return [...findings, await latency(connection), await skew(connection), ...(await replicas(connection))];
  } catch (error) {
    return [found('store', 'problem', error instanceof Error ? error.message : String(error))];
  }
}

async function latency(connection: Connection): Promise<Finding> {
  const took: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const began = performance.now();
    await connection.command('PING', [], connection.seatDeadlineMs);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  const p95 = took[Math.floor(ASKED * 0.95)] ?? 0;
  const detail = `half of ${ASKED} answers within ${duration(took[ASKED >> 1] ?? 0)}, 95 % within ${duration(p95)}`;
  if (p95 < SLOW_MS) return found('store latency', 'ok', detail);
  const help = 'Run it near the gateways, and look for slow commands and a busy machine: SLOWLOG GET, LATENCY DOCTOR';
  return found('store latency', p95 < TOO_SLOW_MS ? 'warning' : 'problem', `${detail}: each admission waits for two or three. ${help}`);
}

async function skew(connection: Connection): Promise<Finding> {
  const began = Date.now();
  const [seconds, micros] = (await connection.command('TIME', [], connection.seatDeadlineMs)) as [string, string];
  const ended = Date.now();
  const at = Number(seconds) * 1_000 + Number(micros) / 1_000;
  const off = at < began ? began - at : at > ended ? at - ended : 0;
  if (off < SKEW_MS) return found('store clock', 'ok', 'it agrees with this machine’s to the second');
  const detail = `it is ${duration(off)} ${at < began ? 'behind' : 'ahead of'} this machine’s. Set both by NTP: leases run by the store’s clock, tokens by this one`;
  return found('store clock', off < TOO_MUCH_SKEW_MS ? 'warning' : 'problem', detail);
}

async function replicas(connection: Connection): Promise<Finding[]> {
  const texts = await connection.everywhere('INFO', ['replication'], connection.logDeadlineMs);
  const lines: Finding[] = [];
  for (const text of texts.map(String)) {
    const head = Number(/^master_repl_offset:(\d+)/m.exec(text)?.[1] ?? 0);
    for (const [, name = '', fields = ''] of text.matchAll(/^(slave\d+):(.+)$/gm)) {
      const of = (field: string): string => new RegExp(`(?:^|,)${field}=([^,\\r]*)`).exec(fields)?.[1] ?? '';
      const [behind, lagS] = [Math.max(0, head - Number(of('offset'))), Number(of('lag'))];
      const detail = `${of('ip')}:${of('port')} is ${of('state')}, ${behind} bytes and ${lagS} s behind`;
      const isFine = of('state') === 'online' && behind < LAG_BYTES && lagS < LAG_S;
      lines.push(
        found(`store replica ${name.slice('slave'.length)}`, isFine ? 'ok' : 'warning', isFine ? detail : `${detail}: a failover to it would lose that much`),
      );
    }
  }
  if (lines.length > 0) return lines;
  return [
    found(
      'store replicas',
      'warning',
      'none: while this server is away, each gateway serves by its own limits, and nothing new can be said. Add a replica and Sentinels',
    ),
  ];
}
