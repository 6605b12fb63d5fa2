/** What an agent yields becomes the one form that is logged: ids filled in, old producers' names translated, keys in order. */

import type { AgentEvent } from '../protocol/agent-events.ts';
import { BOUNDS } from '../protocol/frames.ts';
import { isLongerThan } from '../protocol/utf8.ts';
import { type EventContext, FIELDS, type FieldSpec, TYPE_ALIASES } from './agent-event-fields.ts';

export type { EventContext } from './agent-event-fields.ts';

export type Normalised =
  /** `text` is the event's JSON, made once: this is what is logged and delivered. */
  { readonly is: 'event'; readonly event: AgentEvent; readonly text: string } | { readonly is: 'invalid'; readonly problem: string };

type Raw = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
const invalid = (problem: string): Normalised => ({ is: 'invalid', problem });

/** Longest type, event id or time that a producer may bring. */
const NAME_MAX_LENGTH = 128;
const isName = (value: unknown): value is string => typeof value === 'string' && value.length > 0 && value.length <= NAME_MAX_LENGTH;

/** Takes what an agent yielded. The ids of thread, run and message are always the run's own, whatever a producer says, so that no
 *  producer can speak for another run. Fields may lie at the root, under `data` or under `payload`. An event of unknown type
 *  passes with its fields as they are: clients ignore it. Never throws. */
export function normalise(yielded: unknown, context: EventContext): Normalised {
  try {
    return taken(yielded, context);
  } catch (error) {
    // A getter or proxy of the producer's: its value cannot be had.
    return invalid(`Expected an event whose fields can be read: ${messageOf(error)}`);
  }
}

function taken(yielded: unknown, context: EventContext): Normalised {
  if (!isObject(yielded)) return invalid(`Expected an event object, got ${yielded === null ? 'null' : Array.isArray(yielded) ? 'an array' : typeof yielded}.`);
  const given = yielded.type;
  if (!isName(given)) return invalid('Expected `type` to name the event.');
  const text = given === 'text_delta' && Object.hasOwn(yielded, 'text') ? yielded.text : undefined;
  if (typeof text === 'string') return textDelta(yielded, text, context);
  const type = TYPE_ALIASES.get(given) ?? given;
  const fields = FIELDS.get(type);
  const event: Record<string, unknown> = { type };
  if (fields === undefined) copyUnknown(event, yielded);
  else {
    const problem = takeFields(event, fields, placesOf(yielded), context);
    if (problem !== null) return invalid(`${type}: ${problem}`);
  }
  event.event_id = isName(yielded.event_id) ? yielded.event_id : context.eventId;
  event.thread_id = context.thread;
  event.run_id = context.run;
  event.timestamp = isTime(yielded.timestamp) ? yielded.timestamp : context.timestamp;
  return encode(event as unknown as AgentEvent);
}

/** What nearly every event is: as the general way would make it, without the search for every field in every place. */
function textDelta(yielded: Raw, text: string, c: EventContext): Normalised {
  const eventId = isName(yielded.event_id) ? yielded.event_id : c.eventId;
  const timestamp = isTime(yielded.timestamp) ? yielded.timestamp : c.timestamp;
  return encode({ type: 'text_delta', message_id: c.messageId, text, event_id: eventId, thread_id: c.thread, run_id: c.run, timestamp });
}

/** Fields at the root win over those under `data`, and these over those under `payload`. */
const placesOf = (yielded: Raw): readonly Raw[] => [yielded, yielded.data, yielded.payload].filter(isObject);

function takeFields(event: Record<string, unknown>, fields: readonly FieldSpec[], places: readonly Raw[], context: EventContext): string | null {
  for (const field of fields) {
    if (field.fixed !== undefined) {
      event[field.name] = field.fixed(context);
      continue;
    }
    const found = find(field.from, places);
    const value = (field.unwrap === undefined ? found : field.unwrap(found)) ?? field.otherwise?.(event, context, places);
    if (value === undefined) {
      if (field.required) return `expected \`${field.name}\`, got none.`;
    } else if (field.accepts(value)) event[field.name] = value;
    else return `expected \`${field.name}\` to be ${field.expected}, got ${typeof value}.`;
  }
  return null;
}

/** Every name is looked for in every place before an older name is tried. */
function find(names: readonly string[], places: readonly Raw[]): unknown {
  for (const name of names) {
    for (const place of places) {
      if (Object.hasOwn(place, name) && place[name] !== undefined && place[name] !== null) return place[name];
    }
  }
  return undefined;
}

function copyUnknown(event: Record<string, unknown>, yielded: Raw): void {
  for (const [key, value] of Object.entries(yielded)) {
    // JSON carries no function, and calls one that is named `toJSON` instead of writing the event.
    if (key !== 'type' && key !== '__proto__' && typeof value !== 'function') event[key] = value;
  }
}

const isTime = (value: unknown): value is string => isName(value) && /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:?\d{2})$/.test(value);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : typeof error).slice(0, 200);

function encode(event: AgentEvent): Normalised {
  let text: string;
  try {
    text = JSON.stringify(event);
  } catch (error) {
    return invalid(`${event.type}: expected values that JSON can carry: ${messageOf(error)}`);
  }
  const isTooLong = isLongerThan(text, BOUNDS.eventBytes);
  if (isTooLong && event.type === 'agent_completed' && event.final_response !== undefined) {
    // The answer stands in the run's deltas already: a long one must not cost the run its good end.
    const { final_response: _told, ...rest } = event;
    return encode(rest);
  }
  if (isTooLong) return invalid(`${event.type}: expected at most ${BOUNDS.eventBytes} bytes of JSON.`);
  return { is: 'event', event, text };
}
