import { SpillwayError } from '../../protocol/errors.ts';

/** Answers of a server that cannot serve just now: nothing is wrong with what was asked. */
const PASSING = ['READONLY', 'LOADING', 'CLUSTERDOWN', 'MASTERDOWN', 'OOM', 'MISCONF', 'NOREPLICAS', 'TRYAGAIN', 'BUSY', 'UNBLOCKED', 'MOVED', 'ASK'];

/** A script met a key that has gone ahead with its slot to another master. */
const ON_THE_MOVE = /script attempted to access a non local key/i;

/** What an operator can do about an answer, by its first word. */
const HELP: Readonly<Record<string, string>> = {
  READONLY: 'It is a replica: wait for the failover to end, or give the address of the primary (or of the Sentinels).',
  LOADING: 'It reads its data from disk after a start; it serves when that is done.',
  CLUSTERDOWN: 'Not all slots of the cluster are served: look at CLUSTER INFO and bring the missing master back.',
  MASTERDOWN: 'It is a replica that has lost its primary.',
  OOM: 'Its memory is full: raise maxmemory. Keep maxmemory-policy noeviction.',
  MISCONF: 'It cannot save to disk: free space there, or see its log.',
  NOREPLICAS: 'It has fewer replicas than min-replicas-to-write asks for.',
  NOPERM: 'Give its user the rights that docs/redis.md lists: ACL SETUSER NAME on >PASSWORD ~PREFIX:* &PREFIX:* +@all -@dangerous +info.',
  NOAUTH: 'Give user and password in the URL (rediss://USER:PASSWORD@HOST) or as options.',
  WRONGPASS: 'User or password is wrong, or that user is switched off.',
  WRONGTYPE: 'Something else uses keys of this prefix: choose another prefix.',
  SINGLE: 'It is a single server: give its address as `url` instead of `nodes`.',
  CROSSSLOT: 'It is a Redis Cluster: give its addresses as `nodes`.',
};

/** Words of errors that the client makes itself while it has no usable connection. */
const NO_CONNECTION =
  /stream isn't writeable|connection is closed|max retries per request|cluster isn't ready|failed to refresh slots|connection in subscriber|too many cluster redirections|socket timeout|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|cluster is ended|none of startup nodes|all sentinels are unreachable/i;

/** The first word of a server's answer, `READONLY`, or an empty one. */
export const codeOf = (error: unknown): string => /^-?([A-Z]{2,})\b/.exec(messageOf(error))?.[1] ?? '';

/** What was said. When all nodes of a cluster failed: what the last of them said. */
export function messageOf(error: unknown): string {
  const last = (error as { readonly lastNodeError?: unknown } | null)?.lastNodeError;
  if (last instanceof Error) return last.message;
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}

export const isNoScript = (error: unknown): boolean => codeOf(error) === 'NOSCRIPT';

/** Answers that no later try with the same settings changes. */
export const isRefusal = (error: unknown): boolean =>
  ['NOPERM', 'NOAUTH', 'WRONGPASS'].includes(codeOf(error)) || /certificate|self.signed|wrong version number|cluster support disabled/i.test(messageOf(error));

/** No answer in time: whether the command was carried out is not known. */
export const timedOut = (what: string, withinMs: number): SpillwayError =>
  new SpillwayError(
    'SPILLWAY_STORE_UNAVAILABLE',
    `Expected Redis to answer ${what} within ${withinMs} ms, but it did not. See that it runs and is not overloaded.`,
    {
      retry: 'later',
    },
  );

/** There is no usable connection, because of `trouble`. */
export const unreachable = (what: string, trouble: string, cause?: unknown): SpillwayError =>
  unavailable(`Expected to reach Redis for ${what}, but could not: ${trouble}. See that it runs and can be reached from here.`, cause);

/** What the client said, as a cause: without the command, whose arguments may be a password or what people write. */
function bare(error: unknown): Error {
  const said = new Error(messageOf(error));
  if (error instanceof Error) said.name = error.name;
  return said;
}

/** Any error of the client as one of ours: UNAVAILABLE for what passes, BROKEN for what stays. `trouble`: what is known of the connection. */
export function storeError(error: unknown, what: string, trouble: string | null = null): SpillwayError {
  if (SpillwayError.is(error)) return error;
  const [code, message] = [codeOf(error), messageOf(error).replace(/\.$/, '')];
  const key = message.includes('cluster support disabled') ? 'SINGLE' : code;
  const help = HELP[key] === undefined ? '' : ` ${HELP[key]}`;
  if (NO_CONNECTION.test(message)) return unreachable(what, trouble ?? message, bare(error));
  if (PASSING.includes(code) || ON_THE_MOVE.test(message)) return unavailable(`Redis did not take ${what}, but said: ${message}.${help}`, bare(error));
  return new SpillwayError('SPILLWAY_STORE_BROKEN', `Expected Redis to take ${what}, but it said: ${message}.${help}`, { retry: 'never', cause: bare(error) });
}

const unavailable = (message: string, cause: unknown): SpillwayError => new SpillwayError('SPILLWAY_STORE_UNAVAILABLE', message, { retry: 'later', cause });
