/** Text deltas as JSON text: where their text stands in it, without parsing. Every logged event has its fields in the order of its
 *  vocabulary, so that the hot path reads what it needs by position. */

const TEXT_DELTA = '{"type":"text_delta","message_id":"';
const BEFORE_TEXT = '","text":"';
const THINKING = '{"type":"agent_thinking","reasoning":"';
const EVENT_ID = '"event_id":"';

export interface DeltaJson {
  /** Up to the text, its opening quote included. */
  readonly head: string;
  /** The text as it stands in the JSON, escapes and all; texts are concatenated as they are. */
  readonly body: string;
  /** What follows the text up to the event's own id: with the same head and the same `ids`, two deltas append to one text. */
  readonly ids: string;
  /** Where what follows `ids` begins in the JSON. */
  readonly restAt: number;
}

/** The parts of an event's JSON, or null where it is no delta, or none in the order in which they are logged. */
export function splitDelta(json: string): DeltaJson | null {
  const at = textAt(json);
  if (at < 0) return null;
  const end = quoteAt(json, at);
  if (end < 0) return null;
  const found = json.indexOf(EVENT_ID, end);
  const restAt = found < 0 ? json.length : found + EVENT_ID.length;
  return { head: json.slice(0, at), body: json.slice(at, end), ids: json.slice(end, restAt), restAt };
}

/** Whether the JSON begins as a delta's does. */
export const looksLikeDelta = (json: string): boolean => json.startsWith(TEXT_DELTA) || json.startsWith(THINKING);

/** The text of another delta that appends to the same text as `first`, as it stands in the JSON; null where it does not. */
export function bodyAfter(first: DeltaJson, json: string): string | null {
  if (!json.startsWith(first.head)) return null;
  const at = first.head.length;
  const end = quoteAt(json, at);
  return end >= 0 && json.startsWith(first.ids, end) ? json.slice(at, end) : null;
}

function textAt(json: string): number {
  if (json.startsWith(THINKING)) return THINKING.length;
  if (!json.startsWith(TEXT_DELTA)) return -1;
  const end = quoteAt(json, TEXT_DELTA.length);
  return end >= 0 && json.startsWith(BEFORE_TEXT, end) ? end + BEFORE_TEXT.length : -1;
}

/** The next quote that is none of the text's own. */
function quoteAt(json: string, from: number): number {
  for (let at = json.indexOf('"', from); at >= 0; at = json.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (json.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return -1;
}
