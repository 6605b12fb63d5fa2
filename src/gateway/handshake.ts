import type { Identity, Recognition } from '../auth/identity.ts';
import type { ResumeClaims } from '../auth/resume-tokens.ts';
import { CLOSE, type CloseCode } from '../protocol/close-codes.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { BEARER_PREFIX, BOUNDS, type Hello, PROTOCOL_VERSION, type Welcome } from '../protocol/frames.ts';
import type { NodeId } from '../protocol/ids.ts';
import { writeFrame } from '../protocol/write.ts';
import type { EarlyBytes } from './early-bytes.ts';
import type { Line } from './line.ts';
import type { Services } from './services.ts';

/** What the upgrade request brought. */
export interface Arrival {
  /** Address and header fields of its request, as one JSON text: a web request takes 4 KB for as long as it is kept (measured), and is
   *  needed again when a token is renewed. */
  readonly head: string;
  readonly ticket: string | null;
  /** JWTs offered as subprotocols. */
  readonly bearer: string | null;
  readonly cookie: string | null;
  readonly origin: 'allowed' | 'absent';
  readonly address: string;
  /** What its peer sends until it is known. */
  readonly early: EarlyBytes;
}

/** What the upgrade came with, as authenticators and cookies want it. */
export function requestOf(head: string): Request {
  const [url, headers] = JSON.parse(head) as [string, [string, string][]];
  return new Request(url, { headers });
}

/** A connection whose user is known. */
export interface Greeting {
  readonly hello: Hello;
  readonly identity: Identity;
  /** The claims of a resume token that is the user's own. */
  readonly resume: ResumeClaims | null;
}

/** Hears the greeting and recognises the user: `hello` → `welcome`, or a farewell. Null when the connection has ended. */
export async function shakeHands(line: Line, arrival: Arrival, node: NodeId, s: Services): Promise<Greeting | null> {
  const hello = await hearHello(line, s);
  if (hello === null) return null;
  const version = commonVersion(hello);
  if (version === null) {
    line.part({ close: CLOSE.unsupportedVersion, detail: `This gateway speaks version ${PROTOCOL_VERSION}.` });
    return null;
  }
  const found = await inTime(recognise(hello, arrival, s), s);
  if (line.isGone) return null;
  if ('close' in found) {
    line.part({ close: found.close });
    return null;
  }
  line.transport.send([writeFrame(welcome(found.identity, version, node, s))]);
  return { hello, ...found };
}

/** An absolute deadline that no traffic extends. It is judged after pending reads, so that our own stall accuses nobody. */
async function hearHello(line: Line, s: Services): Promise<Hello | null> {
  let isLate = false;
  const cancel = s.clock.after(s.options.health.helloMs, () => {
    s.clock.soon(() =>
      s.clock.soon(() => {
        if (heard) return;
        isLate = true;
        line.part({ close: CLOSE.helloTimeout, resumable: false });
      }),
    );
  });
  let heard = false;
  const first = await line.first();
  heard = true;
  cancel();
  if (first === null || isLate) return null;
  if (first.is === 'frame' && first.frame.type === 'hello') return first.frame;
  const violation = first.is === 'violation' ? first : null;
  line.part({ close: violation?.close ?? CLOSE.protocolError, detail: violation?.detail ?? 'Expected `hello` first.', resumable: false });
  return null;
}

/** An issuer or store that does not answer keeps nobody waiting for ever: this connection ends, the client comes back. */
async function inTime<T>(answer: Promise<T>, s: Services): Promise<T> {
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const waitMs = s.options.health.helloMs;
    cancel = s.clock.after(waitMs, () =>
      reject(new SpillwayError('SPILLWAY_ISSUER_UNAVAILABLE', `Expected an answer about a credential within ${waitMs} ms, got none.`, { retry: 'later' })),
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel();
  }
}

const commonVersion = (hello: Hello): number | null => (hello.v >= PROTOCOL_VERSION && (hello.minV ?? hello.v) <= PROTOCOL_VERSION ? PROTOCOL_VERSION : null);

type Found = { readonly identity: Identity; readonly resume: ResumeClaims | null } | { readonly close: CloseCode };

/** Credentials in their order of precedence; two that name different users are refused. */
async function recognise(hello: Hello, arrival: Arrival, s: Services): Promise<Found> {
  const claims = hello.resume ? s.resumeTokens.read(hello.resume.token) : null;
  const own = claims !== null && claims.manager === hello.resume?.manager ? claims : null;
  const request = requestOf(arrival.head);
  const answers: Recognition[] = [];
  if (hello.token !== undefined) answers.push(await s.authenticator.recognise(withBearer(request, hello.token)));
  if (arrival.bearer !== null) answers.push(await s.authenticator.recognise(withBearer(request, arrival.bearer)));
  if (arrival.ticket !== null) answers.push(await s.tickets.redeem(arrival.ticket));
  if (answers.length === 0) answers.push(...(await byContinuity(hello, own, arrival, request, s)));
  const first = answers[0];
  if (!first || first.is === 'invalid') return { close: CLOSE.unauthorized };
  if (first.is === 'expired') return { close: CLOSE.credentialExpired };
  for (const other of answers) if (other.is === 'ok' && other.identity.user !== first.identity.user) return { close: CLOSE.unauthorized };
  return { identity: first.identity, resume: own !== null && own.user === first.identity.user ? own : null };
}

/** Without a token of its own a connection is known by its resume token, else by the browser's cookie, else by its request. */
async function byContinuity(hello: Hello, own: ResumeClaims | null, arrival: Arrival, request: Request, s: Services): Promise<readonly Recognition[]> {
  const resumed = hello.resume ? fromClaims(own, s) : null;
  if (resumed?.is === 'ok') return [resumed];
  if (arrival.cookie !== null && arrival.origin === 'allowed') return [await s.authenticator.recognise(withBearer(request, arrival.cookie))];
  if (request.headers.has('authorization')) return [await s.authenticator.recognise(request)];
  return resumed === null ? [] : [resumed];
}

/** A resume token is a credential until the one it grew from has expired. */
function fromClaims(claims: ResumeClaims | null, s: Services): Recognition {
  if (claims === null || claims.authExpiresAt <= s.clock.wall()) return { is: 'expired' };
  if (s.accounts?.isLoggedOut(claims) === true) return { is: 'invalid' };
  return { is: 'ok', identity: { user: claims.user, name: claims.user, tier: claims.tier, expiresAt: claims.authExpiresAt, family: claims.family } };
}

export function withBearer(request: Request, token: string): Request {
  const headers = new Headers(request.headers);
  try {
    headers.set('authorization', `Bearer ${token}`);
  } catch {
    // A token that no header can hold is no token: the authenticator sees none.
    headers.delete('authorization');
  }
  return new Request(request.url, { headers });
}

function welcome(identity: Identity, version: number, node: NodeId, s: Services): Welcome {
  const { health, ack } = s.options;
  return {
    type: 'welcome',
    v: version,
    node,
    heartbeatMs: health.heartbeatMs,
    clientTimeoutMs: health.clientTimeoutMs,
    now: s.clock.wall(),
    user: { id: identity.user, name: identity.name, tier: identity.tier },
    authExpiresAt: identity.expiresAt,
    ack: { frames: ack.frames, bytes: ack.bytes, ms: ack.ms },
    max: { frameBytes: BOUNDS.frameBytes, subs: BOUNDS.subs },
  };
}

/** Reads the bearer out of offered subprotocols. */
export const bearerIn = (protocols: readonly string[]): string | null =>
  protocols.find((p) => p.startsWith(BEARER_PREFIX))?.slice(BEARER_PREFIX.length) ?? null;
