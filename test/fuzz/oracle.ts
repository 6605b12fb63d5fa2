/** What PROTOCOL.md says of frames that a client may send, written down a second time and differently: as findings about a frame that was
 *  taken. */

type Raw = Readonly<Record<string, unknown>>;

const bytes = (text: string): number => Buffer.byteLength(text);
const isText = (value: unknown, min: number, max: number): boolean =>
  typeof value === 'string' && bytes(value) >= min && bytes(value) <= max && (value as string & { isWellFormed(): boolean }).isWellFormed();
const isWhole = (value: unknown, min: number, max = 2 ** 53 - 1): boolean => Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
const isOneOf = (value: unknown, ...known: readonly string[]): boolean => typeof value === 'string' && known.includes(value);
const isThread = (value: unknown): boolean => typeof value === 'string' && value.length <= 128 && /^[A-Za-z0-9._:-]+$/.test(value) && !value.includes('\n');
const isEpoch = (value: unknown): boolean => typeof value === 'string' && value.length <= 16 && /^[a-z0-9]+$/.test(value) && !value.includes('\n');
const isRecord = (value: unknown): value is Raw => Object.prototype.toString.call(value) === '[object Object]';
const isSub = (value: unknown): boolean => isWhole(value, 1, 65_535);
const isCodec = (value: unknown): boolean => isOneOf(value, 'agent-events');
const isVisibility = (value: unknown): boolean => isOneOf(value, 'visible', 'hidden', 'frozen');
const isPosition = (value: unknown): boolean => isRecord(value) && isEpoch(value.epoch) && isWhole(value.offset, 0);
const isPart = (value: unknown): boolean => {
  if (!isRecord(value)) return false;
  if (value.type === 'text' || value.type === 'reasoning') return typeof value.text === 'string';
  if (value.type === 'file') return typeof value.url === 'string' && typeof value.mediaType === 'string';
  if (value.type !== 'tool' || !isText(value.executionId, 1, 64) || !isText(value.toolName, 1, 64)) return false;
  return value.success === undefined || typeof value.success === 'boolean';
};
const isData = (value: unknown): boolean => {
  if (!isRecord(value)) return false;
  if (value.text !== undefined) return typeof value.text === 'string' && value.parts === undefined;
  return Array.isArray(value.parts) && value.parts.length > 0 && value.parts.every(isPart) && (value.metadata === undefined || isRecord(value.metadata));
};
const isClient = (value: unknown): boolean =>
  isRecord(value) && isText(value.name, 1, 64) && isText(value.version, 1, 32) && (value.label === undefined || isText(value.label, 0, 128));
const isResume = (value: unknown): boolean =>
  isRecord(value) &&
  isText(value.manager, 1, 64) &&
  isText(value.token, 1, 512) &&
  Array.isArray(value.subs) &&
  value.subs.length <= 64 &&
  value.subs.every((s) => isRecord(s) && isSub(s.sub) && isThread(s.thread) && isPosition(s) && (s.codec === undefined || isCodec(s.codec)));

type Check = (value: unknown) => boolean;
const FIELDS: Readonly<Record<string, { readonly must: Readonly<Record<string, Check>>; readonly may?: Readonly<Record<string, Check>> }>> = {
  hello: {
    must: { v: (v) => isWhole(v, 1), client: isClient, intent: (v) => isOneOf(v, 'user', 'auto') },
    may: {
      minV: (v) => isWhole(v, 1),
      token: (v) => isText(v, 1, 8_192),
      visibility: isVisibility,
      waitMs: (v) => isWhole(v, 0),
      resume: isResume,
      traceparent: (v) => isText(v, 0, 128),
    },
  },
  subscribe: { must: { sub: isSub, thread: isThread }, may: { from: (v) => isOneOf(v, 'start', 'run', 'now') || isPosition(v), codec: isCodec } },
  unsubscribe: { must: { sub: isSub } },
  ack: { must: { sub: isSub, offset: (v) => isWhole(v, 0) } },
  send: { must: { id: (v) => isText(v, 1, 64), thread: isThread, data: isData }, may: { agent: (v) => isText(v, 1, 64) } },
  cancel: { must: { run: (v) => isText(v, 1, 64) } },
  'probe-ok': { must: { n: (v) => isWhole(v, 0) }, may: { visibility: isVisibility } },
  check: { must: { n: (v) => isWhole(v, 0) } },
  visibility: { must: { state: isVisibility } },
  token: { must: { token: (v) => isText(v, 1, 8_192) } },
  bye: { must: { reason: (v) => isOneOf(v, 'left', 'parked') } },
};

const MAX_BYTES = 262_144;
const MAX_DEPTH = 64;

/** What is wrong with having taken `wire` as `frame`. */
export function faultsOf(wire: string, frame: Raw): readonly string[] {
  const spec = FIELDS[String(frame.type)];
  if (spec === undefined) return [`there is no frame of the type ${String(frame.type)}`];
  const faults: string[] = [];
  if (bytes(wire) > MAX_BYTES) faults.push(`it has ${bytes(wire)} bytes`);
  if (depthOf(JSON.parse(wire)) > MAX_DEPTH) faults.push('it is nested too deep');
  for (const [name, check] of Object.entries(spec.must)) if (!check(frame[name])) faults.push(`\`${name}\` is missing or wrong`);
  for (const [name, check] of Object.entries(spec.may ?? {})) if (frame[name] !== undefined && !check(frame[name])) faults.push(`\`${name}\` is wrong`);
  for (const name of Object.keys(frame))
    if (name !== 'type' && !(name in spec.must) && !(name in (spec.may ?? {}))) faults.push(`\`${name}\` belongs to no frame`);
  if (frame.type === 'hello' && frame.minV !== undefined && (frame.minV as number) > (frame.v as number)) faults.push('`minV` is above `v`');
  if (Object.getPrototypeOf(frame) !== Object.prototype) faults.push('its prototype came from outside');
  return faults;
}

/** Iterative, for what it measures may be deep. */
export function depthOf(value: unknown): number {
  let deepest = 0;
  const left: [unknown, number][] = [[value, 1]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [item, depth] = next;
    if (typeof item !== 'object' || item === null) continue;
    deepest = Math.max(deepest, depth);
    for (const inner of Object.values(item)) left.push([inner, depth + 1]);
  }
  return deepest;
}
