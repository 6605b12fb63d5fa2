/** Text from an operator's page becomes a live request here and nowhere else. Size and depth are bounded before anything is built. */

import {
  type EventFilter,
  LIVE_BOUNDS,
  type ListWindow,
  type LiveRequest,
  type LiveTopic,
  type ManagerFilter,
  type ManagerSort,
  type SeriesRange,
  type UserSort,
} from './live.ts';
import { isObject, kindOf, object, oneOf, optional, type Rule, text, Wrong, whole } from './rules.ts';
import { isDeeperThan, isLongerThan } from './utf8.ts';

export type ParsedLive =
  | { readonly is: 'request'; readonly request: LiveRequest }
  /** Answered with a `problem`. `id`: of the watch that was meant, where it can be told. */
  | { readonly is: 'problem'; readonly id: number | null; readonly code: 'bad-request' | 'payload-too-large'; readonly detail: string };

const DEPTH = 8;
/** As long as a user's id may be, in bytes. */
const NAME_BYTES = 1_024;

const id = whole(0, 0x7fff_ffff);
const name = text(1, NAME_BYTES);

const listWindow = object<ListWindow>({ from: whole(0, 0x7fff_ffff), size: whole(1, LIVE_BOUNDS.windowRows) });

type TopicName = LiveTopic['of'];
type TopicOf<N extends TopicName> = Extract<LiveTopic, { of: N }>;
const bare = <N extends 'summary' | 'map' | 'queue' | 'alerts' | 'nodes' | 'drills'>(of: N) => object({ of: oneOf(of) }) as unknown as Rule<TopicOf<N>>;

const TOPICS: { readonly [N in TopicName]: Rule<TopicOf<N>> } = {
  summary: bare('summary'),
  series: object<TopicOf<'series'>>({ of: oneOf('series'), range: oneOf<SeriesRange>('15m', '24h', '7d') }),
  map: bare('map'),
  users: object<TopicOf<'users'>>({
    of: oneOf('users'),
    filter: optional(name),
    sort: oneOf<UserSort>('seats', 'zombies', 'queued', 'name'),
    window: listWindow,
  }),
  managers: object<TopicOf<'managers'>>({
    of: oneOf('managers'),
    filter: optional(object<ManagerFilter>({ user: optional(name), verdict: optional(text(1, 64)) })),
    sort: oneOf<ManagerSort>('last-ack', 'unacked', 'buffered', 'idle', 'age'),
    window: listWindow,
  }),
  user: object<TopicOf<'user'>>({ of: oneOf('user'), user: name }),
  manager: object<TopicOf<'manager'>>({ of: oneOf('manager'), manager: name }),
  events: object<TopicOf<'events'>>({
    of: oneOf('events'),
    filter: optional(object<EventFilter>({ type: optional(text(1, 64)), user: optional(name), reason: optional(text(1, 64)) })),
  }),
  queue: bare('queue'),
  alerts: bare('alerts'),
  nodes: bare('nodes'),
  drills: bare('drills'),
};

const topic: Rule<LiveTopic> = (value) => {
  if (!isObject(value)) return new Wrong('an object such as {"of":"summary"}', value);
  const { of } = value;
  if (typeof of === 'string' && Object.hasOwn(TOPICS, of)) return TOPICS[of as TopicName](value);
  return Object.assign(new Wrong(`one of ${quoted(TOPICS)}`, of, 'of'), { got: shown(of) });
};

const REQUESTS: { readonly [T in LiveRequest['type']]: Rule<Extract<LiveRequest, { type: T }>> } = {
  auth: object<Extract<LiveRequest, { type: 'auth' }>>({ type: oneOf('auth'), key: text(1, LIVE_BOUNDS.frameBytes) }),
  watch: object<Extract<LiveRequest, { type: 'watch' }>>({ type: oneOf('watch'), id, topic }),
  unwatch: object<Extract<LiveRequest, { type: 'unwatch' }>>({ type: oneOf('unwatch'), id }),
  who: object<Extract<LiveRequest, { type: 'who' }>>({ type: oneOf('who'), id, cell: whole(0, 0x7fff_ffff) }),
};

function quoted(known: object): string {
  return Object.keys(known)
    .map((one) => `"${one}"`)
    .join(', ');
}

/** The name of a topic or a type is quoted: an operator sees at once what was misspelt. */
const shown = (value: unknown): string => (typeof value === 'string' && value.length <= 40 ? JSON.stringify(value) : kindOf(value));

/** Reads one text message of an operator's page. Never throws, and takes time in proportion to `wire`'s length at most. */
export function parseLiveRequest(wire: string): ParsedLive {
  if (isLongerThan(wire, LIVE_BOUNDS.frameBytes)) return wrong('payload-too-large', `Expected a frame of at most ${LIVE_BOUNDS.frameBytes} bytes.`);
  if (isDeeperThan(wire, DEPTH)) return wrong('bad-request', `Expected JSON nested at most ${DEPTH} deep.`);
  let value: unknown;
  try {
    value = JSON.parse(wire);
  } catch {
    // The parser's own message quotes the text, which may hold the key.
    return wrong('bad-request', 'Expected JSON, got something else.');
  }
  if (!isObject(value)) return wrong('bad-request', `Expected a JSON object, got ${kindOf(value)}.`);
  const { type } = value;
  if (typeof type !== 'string' || !Object.hasOwn(REQUESTS, type))
    return wrong('bad-request', `Expected \`type\` to be one of ${quoted(REQUESTS)}, got ${shown(type)}.`, value);
  const request = REQUESTS[type as LiveRequest['type']](value);
  return request instanceof Wrong ? wrong('bad-request', `${type}: ${request.text}`, value) : { is: 'request', request };
}

function wrong(code: Extract<ParsedLive, { is: 'problem' }>['code'], detail: string, raw?: Readonly<Record<string, unknown>>): ParsedLive {
  const meant = raw === undefined ? null : id(raw.id);
  return { is: 'problem', id: typeof meant === 'number' ? meant : null, code, detail };
}
