import type { Admission, QueuePlace, Retry, Seated } from '../managers/admission/admission.ts';
import type { Attachment } from '../managers/delivery/attachment.ts';
import type { WebSocketManagerFactory } from '../managers/factory.ts';
import { newId } from '../ports/random.ts';
import { parseTraceparent } from '../ports/trace.ts';
import type { Transport } from '../ports/transport.ts';
import { CLOSE, closeFor } from '../protocol/close-codes.ts';
import type { Ready } from '../protocol/frames.ts';
import { writeFrame } from '../protocol/write.ts';
import type { Connections } from './connections.ts';
import { Credential } from './credential.ts';
import { FrameRate } from './frame-rate.ts';
import { type Arrival, type Greeting, requestOf, shakeHands, withBearer } from './handshake.ts';
import { type CountFrame, Line } from './line.ts';
import type { RunBoard } from './runs.ts';
import type { Services } from './services.ts';
import { NativeWire } from './wires/native.ts';

export interface Path {
  readonly services: Services;
  readonly factory: WebSocketManagerFactory;
  readonly runs: RunBoard;
  readonly connections: Connections;
  /** This node takes nobody in any more. */
  isDraining(): boolean;
}

/** The way of a connection, from the accepted upgrade to its conversation. Rejects where something of ours fails; the caller says
 *  goodbye. It does not wait for the end: what an idle connection needs no more, from its upgrade request to its `hello`, is let go. */
export async function serve(transport: Transport, arrival: Arrival, path: Path): Promise<void> {
  const line = new Line(transport, arrival.early);
  path.connections.opened(line);
  const greeting = await shakeHands(line, arrival, path.factory.node, path.services);
  if (greeting === null) return;
  const heardAt = path.services.clock.mono();
  if (path.isDraining()) {
    line.part({ close: CLOSE.draining, reason: 'drain' });
    return;
  }
  const credential = watchCredential(line, arrival, greeting, path);
  line.onGone(() => credential.end());
  let isSeated = false;
  try {
    const seated = await takeSeat(line, greeting, credential, path);
    if (seated === null) return;
    isSeated = true;
    noticeEnd(line, seated, path);
    converse(line, seated, greeting, credential, path);
    if (greeting.hello.resume !== undefined) noteReturn(seated, heardAt, path.services);
  } finally {
    if (!isSeated) credential.end();
  }
}

/** Whatever becomes of the conversation, the end of its socket is noticed. */
function noticeEnd(line: Line, { manager, attachment }: SeatedHere, { factory, services }: Path): void {
  line.gone
    .then(() => factory.transportClosed(manager, attachment))
    .catch((error: unknown) => {
      services.telemetry.record({ severity: 'ERROR', event: 'connection-failed', message: String(error), manager: manager.id });
    });
}

/** Tells of a return when its threads are followed again, or would be if it were here still. */
function noteReturn({ manager, attachment, resume }: SeatedHere, heardAt: number, { clock, tell }: Services): void {
  const { id: managerId, user } = manager;
  attachment.afterRequests((gapped) => {
    const result = resume === 'fresh' ? 'expired' : gapped ? 'gap' : resume;
    tell('resumed', { managerId, user: user.userId, tier: user.tier, result, durationMs: Math.round(clock.mono() - heardAt) });
  });
}

/** A seat together with the time on this transport for which it was given. */
type SeatedHere = Seated & { readonly attachment: Attachment };

/** Asks for renewal in time, and ends the connection when the credential has run out. */
function watchCredential(line: Line, arrival: Arrival, greeting: Greeting, { services, connections }: Path): Credential {
  const { identity } = greeting;
  const { head } = arrival;
  const credential = new Credential(identity, services.clock, {
    recognise: (token) => services.authenticator.recognise(withBearer(requestOf(head), token)),
    expiring: (authExpiresAt) => line.transport.send([writeFrame({ type: 'token-expiring', authExpiresAt })]),
    over: (close) => line.part({ close }),
  });
  connections.add(line, credential);
  return credential;
}

/** A seat, after the queue if it must be; null when the connection ended without one. */
async function takeSeat(line: Line, greeting: Greeting, credential: Credential, path: Path): Promise<SeatedHere | null> {
  const { hello } = greeting;
  const leaving = new AbortController();
  let visibility = hello.visibility;
  let left = false;
  line.verified((frame) => {
    if (frame.type === 'visibility') visibility = frame.state;
    if (frame.type === 'token') credential.renew(frame.token, (authExpiresAt) => line.transport.send([writeFrame({ type: 'token-ok', authExpiresAt })]));
    if (frame.type !== 'bye') return;
    left = true;
    leaving.abort();
    line.transport.end(1000, '');
  }, countFrames(path.services));
  const forget = line.onGone(() => leaving.abort());
  const admission = await ask(line, greeting, leaving.signal, path);
  const end = admission.kind === 'queued' ? await waitInLine(line, admission, leaving.signal) : admission;
  forget();
  if (end === null) return null;
  if (end.kind === 'retry') {
    // Whoever has gone needs no time to come back at.
    if (leaving.signal.aborted) return null;
    sendAway(line, greeting, end, path);
    return null;
  }
  const { manager, attachment } = end;
  // Another return may have taken it over in this moment; this transport has been told so.
  if (attachment === null || attachment.ended) return null;
  if (visibility) attachment.seen(visibility);
  // A seat that nobody can come back to is given back; a returning client has a token that leads to its own.
  if (left || (line.isGone && end.resume === 'fresh')) {
    await path.factory.leave(manager, 'client-closed');
    return null;
  }
  return { ...end, attachment };
}

function countFrames({ options, clock }: Services): CountFrame {
  const rate = new FrameRate(options, clock.mono());
  return () => {
    const now = clock.mono();
    return { is: rate.count(now), leftMs: rate.leftMs(now) };
  };
}

function ask(line: Line, { hello, identity, resume }: Greeting, signal: AbortSignal, { factory, services }: Path): Promise<Admission> {
  const user = { userId: identity.user, tier: identity.tier, requestId: newId(services.random, 'run'), websocketClientId: hello.client.name };
  return factory.createManager(user, {
    transport: line.transport,
    attended: true,
    closed: line.gone,
    intent: hello.intent,
    signal,
    client: { name: `${hello.client.name} ${hello.client.version}`, label: hello.client.label ?? null },
    ...(hello.visibility === undefined ? {} : { visibility: hello.visibility }),
    ...(hello.waitMs === undefined ? {} : { waitMs: hello.waitMs }),
    // What is no `traceparent` is not carried along: it may be anything.
    ...(hello.traceparent === undefined || parseTraceparent(hello.traceparent) === null ? {} : { trace: hello.traceparent }),
    ...(resume === null ? {} : { resume: { manager: resume.manager, serial: resume.serial }, promise: resume.promise }),
  });
}

/** Tells the place at once and on every change, until there is a seat or a retry time. */
async function waitInLine(line: Line, queued: Extract<Admission, { kind: 'queued' }>, signal: AbortSignal): Promise<Seated | Retry | null> {
  const tell = ({ position, of, etaMs, deadlineMs }: QueuePlace): void =>
    line.transport.send([writeFrame({ type: 'queued', position, of, etaMs: Math.round(etaMs), deadlineMs })]);
  tell(queued);
  queued.onPlace(tell);
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  return await Promise.race([queued.outcome, aborted]);
}

/** No seat now: the time at which it works, and the token that claims the promised place. */
function sendAway(line: Line, { identity, resume }: Greeting, retry: Retry, { services }: Path): void {
  const manager = resume?.manager ?? retry.manager;
  const resumeToken = services.resumeTokens.mint({
    user: identity.user,
    tier: identity.tier,
    manager,
    serial: resume?.serial ?? 0,
    authExpiresAt: identity.expiresAt,
    family: identity.family,
    promise: retry.promise,
  });
  line.part({ close: closeFor(retry.reason), reason: retry.reason, retryAfterMs: retry.retryAfterMs, manager, resumeToken });
}

/** The manager is born or found again: it is told so, its threads follow, and what was kept is processed in order. */
function converse(line: Line, seated: SeatedHere, greeting: Greeting, credential: Credential, path: Path): void {
  const { manager, attachment } = seated;
  const { factory, services, connections } = path;
  connections.seated(line, manager.id);
  manager.noteLimits(seated.limits);
  attachment.send(readyFrame(seated, credential, path));
  // At once: where many come at the same instant it may give way to the next one in this very turn, and has been told of its seat then.
  attachment.delivery.flush();
  for (const sub of greeting.hello.resume?.subs ?? []) {
    const { epoch, offset, ...rest } = sub;
    attachment.subscribe({ ...rest, from: { epoch, offset } });
  }
  const wire = new NativeWire(line, manager, attachment, {
    services,
    runs: path.runs,
    credential,
    left: (reason) => {
      line.transport.end(1000, '');
      factory.leave(manager, reason === 'parked' ? 'parked' : 'client-closed').catch((error: unknown) => {
        services.telemetry.record({ severity: 'WARNING', event: 'release-failed', message: String(error), manager: manager.id });
      });
    },
  });
  line.open(wire);
  wire.whenAnswered(() => attachment.arrived());
  // What was sent before `ready` does not show that `ready` has arrived.
  manager.confirmed = false;
}

function readyFrame(seated: Seated, credential: Credential, { services }: Path): Ready {
  const { manager } = seated;
  const { identity } = credential;
  const resumeToken = services.resumeTokens.mint({
    user: identity.user,
    tier: identity.tier,
    manager: manager.id,
    serial: manager.serial,
    authExpiresAt: identity.expiresAt,
    family: identity.family,
    promise: null,
  });
  return {
    type: 'ready',
    manager: manager.id,
    resumeToken,
    resumeWindowMs: services.options.resume.windowMs,
    resume: seated.resume,
    seat: seated.seat,
    limits: seated.limits,
  };
}
