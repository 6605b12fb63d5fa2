/** What a server says of itself, judged. */

/** One thing that was looked at. `help` says what to do where it is not `ok`. */
export interface RedisFinding {
  readonly name: 'version' | 'mode' | 'role' | 'eviction' | 'persistence' | 'permissions' | 'write';
  readonly is: 'ok' | 'warning' | 'wrong';
  /** What was found. */
  readonly detail: string;
  readonly help: string | null;
}

const OLDEST_MAJOR = 7;

type Info = ReadonlyMap<string, string>;

/** Judges what a server answered to INFO. `isCluster`: it was given as a node of a Redis Cluster. */
export function findingsOf(answer: string, isCluster: boolean): readonly RedisFinding[] {
  const info: Info = new Map(
    answer.split(/\r?\n/).flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])),
  );
  return [version(info), mode(info, isCluster), role(info), eviction(info), persistence(info)];
}

export const ok = (name: RedisFinding['name'], detail: string): RedisFinding => ({ name, is: 'ok', detail, help: null });
export const wrong = (name: RedisFinding['name'], detail: string, help: string): RedisFinding => ({ name, is: 'wrong', detail, help });

function version(info: Info): RedisFinding {
  const kind = info.get('server_name') === 'valkey' ? 'Valkey' : 'Redis';
  const own = info.get('valkey_version') ?? info.get('redis_version') ?? 'an unknown version';
  // Valkey tells with which Redis it is compatible.
  const major = Number.parseInt(info.get('redis_version') ?? '', 10);
  if (major >= OLDEST_MAJOR) return ok('version', `${kind} ${own}.`);
  return wrong('version', `Expected Redis ${OLDEST_MAJOR}.0 or newer, or Valkey, but this is ${kind} ${own}.`, 'Upgrade the server.');
}

function mode(info: Info, isCluster: boolean): RedisFinding {
  const isClustered = info.get('cluster_enabled') === '1';
  if (isClustered && !isCluster)
    return wrong('mode', 'Expected a single server, but this is a node of a Redis Cluster.', 'Give addresses of the cluster as `nodes` instead of `url`.');
  if (!isClustered && isCluster)
    return wrong('mode', 'Expected a node of a Redis Cluster, but this is a single server.', 'Give its address as `url` instead of `nodes`.');
  return ok('mode', isClustered ? 'A Redis Cluster.' : 'A single server.');
}

function role(info: Info): RedisFinding {
  if (info.get('role') !== 'slave') return ok('role', 'It takes writes.');
  const primary = `${info.get('master_host')}:${info.get('master_port')}`;
  return wrong('role', `Expected a server that takes writes, but this is a replica of ${primary}.`, 'Give the address of the primary, or of the Sentinels.');
}

function eviction(info: Info): RedisFinding {
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy === 'noeviction') return ok('eviction', 'It never throws data away to make room.');
  const isBounded = (info.get('maxmemory') ?? '0') !== '0';
  const help = 'Set it: CONFIG SET maxmemory-policy noeviction, and in its configuration file.';
  const detail = `Expected maxmemory-policy noeviction, but it is ${policy}: ${isBounded ? 'a full server' : 'once it has a bound, a full server'} would drop seats and conversations.`;
  return wrong('eviction', detail, help);
}

function persistence(info: Info): RedisFinding {
  if (info.get('aof_enabled') === '1') return ok('persistence', 'It keeps what it took (append-only file).');
  return {
    name: 'persistence',
    is: 'warning',
    detail: 'It has no append-only file: a restart loses the conversations since its last snapshot, or all.',
    help: 'Set appendonly yes, and appendfsync everysec or always.',
  };
}
