import { AdminProblem } from '../admin/index.ts';
import { VERSION } from '../gateway/version.ts';
import { type Finding, found } from './findings.ts';
import { duration } from './output/words.ts';
import type { Target } from './target.ts';

/** Beyond it tokens and leases begin to be judged differently by two machines. */
const SKEW_WARNING_MS = 1_000;
const SKEW_PROBLEM_MS = 5_000;
/** A cleanup may take 500 ms in all. */
const STORE_WARNING_MS = 100;
const STORE_PROBLEM_MS = 1_000;

/** What a running gateway and this machine make of each other. */
export async function gatewayFindings(target: Target): Promise<Finding[]> {
  const { client, url } = target;
  try {
    const began = Date.now();
    const status = await client.status();
    const ended = Date.now();
    const version =
      status.version === VERSION
        ? found('gateway', 'ok', `${status.node} at ${url}, version ${status.version}`)
        : found('gateway', 'warning', `${status.node} at ${url} is version ${status.version}, this program ${VERSION}: what they call things may differ`);
    return [version, skew(status.at, began, ended), await storeLatency(target), await consistency(target)];
  } catch (error) {
    if (!AdminProblem.is(error)) throw error;
    if (error.code === 'unreachable') return [found('gateway', 'ok', `none at ${url}: only this machine was looked at`)];
    return [found('gateway', 'problem', error.detail)];
  }
}

/** The answer was made somewhere between the two instants. */
function skew(at: number, began: number, ended: number): Finding {
  const off = at < began ? began - at : at > ended ? at - ended : 0;
  const direction = at < began ? 'behind' : 'ahead of';
  if (off < SKEW_WARNING_MS) return found('clock skew', 'ok', 'the gateway’s clock and this one agree to the second');
  const result = off < SKEW_PROBLEM_MS ? 'warning' : 'problem';
  return found(
    'clock skew',
    result,
    `the gateway’s clock is ${duration(off)} ${direction} this one. Set both by NTP: tokens are good from and until an instant`,
  );
}

async function storeLatency({ client }: Target): Promise<Finding> {
  const { nodes } = await client.nodes();
  const silent = nodes.filter(({ state }) => state === 'silent').map(({ node }) => node);
  if (silent.length > 0) return found('nodes', 'problem', `${silent.join(', ')} did not answer: spillway nodes list`);
  const measured = nodes.map(({ storeMs }) => storeMs).filter((ms) => ms !== null);
  if (measured.length === 0) return found('store latency', 'problem', 'the store does not answer the gateway');
  const worst = Math.max(...measured);
  const detail = `${duration(worst)} for a write`;
  if (worst < STORE_WARNING_MS) return found('store latency', 'ok', detail);
  return found('store latency', worst < STORE_PROBLEM_MS ? 'warning' : 'problem', `${detail}: every event waits for one. Is the disk busy, or far away?`);
}

async function consistency({ client }: Target): Promise<Finding> {
  const { differences } = await client.consistency();
  if (differences.length === 0) return found('consistency', 'ok', 'managers, seats and sockets agree');
  const [first] = differences;
  return found(
    'consistency',
    'problem',
    `${differences.length} differences, such as ${first?.kind} of ${first?.user}: ${first?.detail}. All: spillway api get-consistency`,
  );
}
