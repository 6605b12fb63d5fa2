import { SpillwayError } from '../protocol/errors.ts';
import { type Finding, found } from './findings.ts';
import { type ListenAddress, parseListen, urlOf } from './listen-address.ts';
import { openListener } from './listener.ts';

/** A gateway answers `/livez` from memory. */
const ANSWER_WITHIN_MS = 2_000;

/** Whether a gateway could listen there. One that does already is no trouble: most who ask have one running. */
export async function portFinding(key: 'listen' | 'admin.listen', listen: string): Promise<Finding> {
  const check = key === 'listen' ? 'port' : 'admin port';
  const address = parseListen(listen);
  if (address === null) return found(check, 'problem', `\`${key}\` is not an address: ${listen}`);
  try {
    await (await openListener(key, address)).close();
    return found(check, 'ok', `${listen} is free`);
  } catch (error) {
    if (SpillwayError.is(error) && error.code === 'SPILLWAY_PORT_IN_USE' && (await isGateway(address)))
      return found(check, 'ok', `a gateway listens on ${listen}; another one here needs another port`);
    return found(check, 'problem', error instanceof Error ? error.message : String(error));
  }
}

async function isGateway(address: ListenAddress): Promise<boolean> {
  try {
    const response = await fetch(`${urlOf(address)}/livez`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const report: unknown = await response.json();
    return typeof report === 'object' && report !== null && 'status' in report && 'checks' in report;
  } catch {
    return false;
  }
}
