/** Text from a client becomes a frame here and nowhere else. Size and depth are bounded before anything is built. */

import { CODECS, type Codec } from './agent-events.ts';
import { CLOSE, type CloseCode } from './close-codes.ts';
import type { ErrorCode } from './errors.ts';
import { BOUNDS, type ClientFrame, type ClientFrameType, type ErrorFrame, type From, type Hello, type ResumeSub } from './frames.ts';
import { type Epoch, isEpoch, isThreadId, type ManagerId, type RunId, type ThreadId } from './ids.ts';
import type { MessageData, MessagePart, Visibility } from './messages.ts';
import { readOldSend } from './old-names.ts';
import { isOffset } from './position.ts';
import { anyText, anything, isObject, kindOf, list, object, oneOf, optional, passing, type Rule, record, text, truth, Wrong, whole } from './rules.ts';
import { isDeeperThan, isLongerThan } from './utf8.ts';

export type ParsedFrame =
  | { readonly is: 'frame'; readonly frame: ClientFrame }
  /** The peer breaks the protocol: the connection ends with `close`. `detail` is for logs and developers. */
  | { readonly is: 'violation'; readonly close: CloseCode; readonly detail: string }
  /** A request that cannot be served as it stands: answered with an `error` frame, the connection stays. */
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly message: string; readonly ref: NonNullable<ErrorFrame['ref']> }
  /** A type of a later version: to be ignored. */
  | { readonly is: 'unknown'; readonly type: string };

const ID_BYTES = 64;

const sub = whole(1, BOUNDS.maxSub);
const thread: Rule<ThreadId> = passing(isThreadId, 'a thread id, 1 to 128 of A-Z a-z 0-9 . _ : -');
const epoch: Rule<Epoch> = passing(isEpoch, 'an epoch, 1 to 16 of 0-9 a-z');
const offset: Rule<number> = (value) => (isOffset(value) ? value : new Wrong('an offset, a whole number from 0', value));
const codec: Rule<Codec> = oneOf(...CODECS);
const visibility: Rule<Visibility> = oneOf('visible', 'hidden', 'frozen');
const version = whole(1);
/** Ids that we made come back as any short text: whether such a thing exists is found out where things are looked up, so that
 *  a misspelt id and a foreign one get the same answer. */
const opaque = text(1, ID_BYTES);

const position = object<{ epoch: Epoch; offset: number }>({ epoch, offset });
const from: Rule<From> = (value) => {
  if (value === 'start' || value === 'run' || value === 'now') return value;
  return isObject(value) ? position(value) : new Wrong('"start", "run", "now" or a position', value);
};

const PARTS: Readonly<Record<MessagePart['type'], Rule<MessagePart>>> = {
  text: object<Extract<MessagePart, { type: 'text' }>>({ type: oneOf('text'), text: anyText }),
  reasoning: object<Extract<MessagePart, { type: 'reasoning' }>>({ type: oneOf('reasoning'), text: anyText }),
  tool: object<Extract<MessagePart, { type: 'tool' }>>({
    type: oneOf('tool'),
    executionId: opaque,
    toolName: opaque,
    parameters: optional(anything),
    success: optional(truth),
    results: optional(anything),
  }),
  file: object<Extract<MessagePart, { type: 'file' }>>({ type: oneOf('file'), url: anyText, mediaType: anyText }),
};
const part: Rule<MessagePart> = (value) => {
  const type = isObject(value) ? value.type : undefined;
  const known = typeof type === 'string' && Object.hasOwn(PARTS, type) ? PARTS[type as MessagePart['type']] : null;
  return known === null ? new Wrong('a part of type "text", "reasoning", "tool" or "file"', value) : known(value);
};

const plain = object<{ text: string }>({ text: anyText });
const composed = object<Extract<MessageData, { parts: unknown }>>({ parts: list(part, 1, Number.POSITIVE_INFINITY), metadata: optional(record) });
const messageData: Rule<MessageData> = (value) => {
  if (!isObject(value) || (value.text === undefined) === (value.parts === undefined)) return new Wrong('an object with either `text` or `parts`', value);
  return value.text === undefined ? composed(value) : plain(value);
};

const hello = object<Hello>({
  type: oneOf('hello'),
  v: version,
  minV: optional(version),
  token: optional(text(1, BOUNDS.tokenBytes)),
  client: object<Hello['client']>({
    name: text(1, BOUNDS.clientNameBytes),
    version: text(1, BOUNDS.clientVersionBytes),
    label: optional(text(0, BOUNDS.clientLabelBytes)),
  }),
  intent: oneOf('user', 'auto'),
  visibility: optional(visibility),
  waitMs: optional(whole(0)),
  resume: optional(
    object<NonNullable<Hello['resume']>>({
      manager: opaque as Rule<ManagerId>,
      token: text(1, BOUNDS.resumeTokenBytes),
      subs: list(object<ResumeSub>({ sub, thread, epoch, offset, codec: optional(codec) }), 0, BOUNDS.subs),
    }),
  ),
  traceparent: optional(text(0, BOUNDS.traceparentBytes)),
});

type FrameOf<T extends ClientFrameType> = Extract<ClientFrame, { type: T }>;

const RULES: { readonly [T in ClientFrameType]: Rule<FrameOf<T>> } = {
  hello: (value) => {
    const taken = hello(value);
    if (taken instanceof Wrong || taken.minV === undefined || taken.minV <= taken.v) return taken;
    return new Wrong('a version up to `v`', taken.minV, 'minV');
  },
  subscribe: object<FrameOf<'subscribe'>>({ type: oneOf('subscribe'), sub, thread, from: optional(from), codec: optional(codec) }),
  unsubscribe: object<FrameOf<'unsubscribe'>>({ type: oneOf('unsubscribe'), sub }),
  ack: object<FrameOf<'ack'>>({ type: oneOf('ack'), sub, offset }),
  send: object<FrameOf<'send'>>({
    type: oneOf('send'),
    id: text(1, BOUNDS.sendIdBytes),
    thread,
    data: messageData,
    agent: optional(text(1, BOUNDS.agentBytes)),
  }),
  cancel: object<FrameOf<'cancel'>>({ type: oneOf('cancel'), run: opaque as Rule<RunId> }),
  'probe-ok': object<FrameOf<'probe-ok'>>({ type: oneOf('probe-ok'), n: whole(0), visibility: optional(visibility) }),
  check: object<FrameOf<'check'>>({ type: oneOf('check'), n: whole(0) }),
  visibility: object<FrameOf<'visibility'>>({ type: oneOf('visibility'), state: visibility }),
  token: object<FrameOf<'token'>>({ type: oneOf('token'), token: text(1, BOUNDS.tokenBytes) }),
  bye: object<FrameOf<'bye'>>({ type: oneOf('bye'), reason: oneOf('left', 'parked') }),
};

/** What a wrong field costs: frames that carry evidence or identity end the connection, requests are answered. */
const WHEN_WRONG: { readonly [T in ClientFrameType]: CloseCode | 'refused' } = {
  hello: CLOSE.protocolError,
  subscribe: 'refused',
  unsubscribe: 'refused',
  ack: CLOSE.protocolError,
  send: 'refused',
  cancel: 'refused',
  'probe-ok': CLOSE.protocolError,
  check: 'refused',
  visibility: 'refused',
  token: CLOSE.unauthorized,
  bye: 'refused',
};

const violation = (close: CloseCode, detail: string): ParsedFrame => ({ is: 'violation', close, detail });

/** Reads one text message of a client. Never throws, and takes time in proportion to `wire`'s length at most. */
export function parseClientFrame(wire: string): ParsedFrame {
  if (isLongerThan(wire, BOUNDS.frameBytes)) return violation(CLOSE.messageTooBig, `Expected a frame of at most ${BOUNDS.frameBytes} bytes.`);
  if (isDeeperThan(wire, BOUNDS.depth)) return violation(CLOSE.protocolError, `Expected JSON nested at most ${BOUNDS.depth} deep.`);
  let value: unknown;
  try {
    value = JSON.parse(wire);
  } catch {
    // The parser's own message quotes the text, which may hold a credential.
    return violation(CLOSE.protocolError, 'Expected JSON.');
  }
  if (!isObject(value)) return violation(CLOSE.protocolError, `Expected a JSON object, got ${kindOf(value)}.`);
  const type = value.type;
  if (typeof type !== 'string') return violation(CLOSE.protocolError, `Expected \`type\` to be a string, got ${kindOf(type)}.`);
  const old = readOldSend(value);
  if (old !== null) return read('send', old);
  return Object.hasOwn(RULES, type) ? read(type as ClientFrameType, value) : { is: 'unknown', type };
}

function read(known: ClientFrameType, value: Readonly<Record<string, unknown>>): ParsedFrame {
  const frame = RULES[known](value);
  if (!(frame instanceof Wrong)) return { is: 'frame', frame };
  const cost = WHEN_WRONG[known];
  if (cost !== 'refused') return violation(cost, `${known}: ${frame.text}`);
  return { is: 'refused', code: 'bad-request', message: frame.text, ref: refTo(known, value) };
}

/** Names the refused frame to its sender by the fields that can be repeated safely. */
function refTo(type: ClientFrameType, raw: Readonly<Record<string, unknown>>): NonNullable<ErrorFrame['ref']> {
  const { id, sub, run, n } = raw;
  return {
    type,
    ...(typeof id === 'string' && !isLongerThan(id, ID_BYTES) ? { id } : {}),
    ...(typeof sub === 'number' ? { sub } : {}),
    ...(typeof run === 'string' && !isLongerThan(run, ID_BYTES) ? { run } : {}),
    ...(typeof n === 'number' ? { n } : {}),
  };
}
