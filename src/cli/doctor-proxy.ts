import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { AdminProblem } from '../admin/index.ts';
import { VERSION } from '../gateway/version.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { type Finding, found } from './findings.ts';
import { duration } from './output/words.ts';
import type { Target } from './target.ts';

const READY_WITHIN_MS = 10_000;
/** A little longer than the gateway is ever silent. */
const BEATS = 1.25;

interface Caller {
  readonly manager: string;
  readonly heartbeatMs: number;
  readonly pings: () => number;
  /** Null while it is open. */
  readonly closed: () => { readonly afterMs: number; readonly code: number; readonly byGateway: boolean } | null;
  end(): void;
}

/** What lies between people and the gateway: connects there as two tabs do, one that answers pings and one that never does, and looks at
 *  both from the operators' side. Takes as long as one heartbeat, and two seats of the token's user meanwhile.
 *  @throws SpillwayError if it cannot connect */
export async function proxyFindings(target: Target, through: string, token: string): Promise<Finding[]> {
  const callers = await Promise.all([call(through, token, true), call(through, token, false)]);
  const [quiet, mute] = callers;
  try {
    await delay(quiet.heartbeatMs * BEATS);
    return [idleTimeout(quiet), await autoPong(target, mute)];
  } finally {
    for (const caller of callers) caller.end();
  }
}

function idleTimeout({ closed, heartbeatMs }: Caller): Finding {
  const end = closed();
  if (end === null) return found('proxy timeout', 'ok', `a connection that says nothing stayed open for ${duration(heartbeatMs * BEATS)}`);
  if (end.byGateway) return found('proxy timeout', 'warning', `the gateway itself ended the connection after ${duration(end.afterMs)} with ${end.code}`);
  const detail = `a quiet connection was cut after ${duration(end.afterMs)}. Set the proxy’s read timeout above ${duration(heartbeatMs)}, better 75s`;
  return found('proxy timeout', 'problem', detail);
}

async function autoPong({ client }: Target, { manager, pings, heartbeatMs }: Caller): Promise<Finding> {
  const seen = await client.explain(manager).catch((error: unknown) => {
    // It was given up for want of a pong, which is what should happen to it.
    if (AdminProblem.is(error) && error.code === 'not-found') return null;
    throw error;
  });
  // A new connection counts as a first pong; one that came since is younger.
  const isAnswered = seen?.evidence.some(({ signal, ageMs }) => signal === 'E4' && ageMs < heartbeatMs / 2) === true;
  if (isAnswered) {
    const detail = 'something in between answers pings for clients that do not: a pong proves nothing here. Pages are still watched by what they acknowledge';
    return found('auto-pong', 'warning', detail);
  }
  if (pings() === 0) return found('auto-pong', 'warning', 'pings do not come through: half-open connections are found later, by what pages acknowledge');
  return found('auto-pong', 'ok', 'pings reach the client, and nobody answers them in its place');
}

/** Connects and waits for its seat. `pongs`: whether it answers pings. */
function call(through: string, token: string, pongs: boolean): Promise<Caller> {
  const url = `${through.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/ws`;
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const socket = new WebSocket(url, 'spillway.v1', { autoPong: pongs, handshakeTimeout: READY_WITHIN_MS });
    const timer = setTimeout(() => refuse(`no seat within ${duration(READY_WITHIN_MS)}`), READY_WITHIN_MS);
    let [pings, heartbeatMs, isBye] = [0, 15_000, false];
    let closed: ReturnType<Caller['closed']> = null;
    function refuse(why: string): void {
      clearTimeout(timer);
      socket.terminate();
      reject(
        new SpillwayError(
          'SPILLWAY_REFUSED',
          `Expected to connect through ${through}, but ${why}. The token must be one of a user: --token "$(spillway token create --user doctor)"`,
        ),
      );
    }
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', v: 1, token, client: { name: 'spillway-doctor', version: VERSION }, intent: 'auto' })));
    socket.on('ping', () => {
      pings += 1;
    });
    socket.on('error', (error) => refuse(error.message));
    socket.on('close', (code) => {
      closed = { afterMs: performance.now() - began, code, byGateway: isBye };
      refuse(`the connection ended with ${code}`);
    });
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { readonly type: string; readonly heartbeatMs?: number; readonly manager?: string };
      if (frame.type === 'bye') isBye = true;
      if (frame.type === 'welcome') heartbeatMs = frame.heartbeatMs ?? heartbeatMs;
      if (frame.type !== 'ready' || frame.manager === undefined) return;
      clearTimeout(timer);
      resolve({ manager: frame.manager, heartbeatMs, pings: () => pings, closed: () => closed, end: () => end(socket) });
    });
  });
}

/** Gives the seat back. */
function end(socket: WebSocket): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'bye' }));
  socket.close();
  setTimeout(() => socket.terminate(), 1_000).unref();
}
