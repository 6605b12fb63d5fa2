import { isoTime } from '../../ports/iso-time.ts';
import type { LogEntry } from '../../ports/store.ts';
import { bodyAfter, type DeltaJson, splitDelta } from '../../protocol/delta-json.ts';
import { FlatText } from '../../protocol/flat-text.ts';

/** Entries of one pack: reading from its middle walks over those before. */
const MOST = 256;
/** A longer text, or a longer pause before it, begins a pack of its own: both are kept as one character of one byte. */
const MOST_IN_BYTE = 255;
/** `"}` behind the timestamp. */
const END = '"}';

/** How the deltas of one text differ: in the text itself, in the number of the event, and in its time. */
interface Shape {
  readonly delta: DeltaJson;
  /** What stands before the number in `event_id`. */
  readonly name: string;
  readonly number: number;
  /** What stands between that number and the time. */
  readonly middle: string;
}

function shapeOf({ data, at }: LogEntry): Shape | null {
  const delta = splitDelta(data);
  if (delta === null) return null;
  const end = data.indexOf('"', delta.restAt);
  const id = /^(.*:)(0|[1-9]\d{0,14})$/.exec(data.slice(delta.restAt, Math.max(delta.restAt, end)));
  const time = timeOf(at);
  if (id === null || time === null || !data.endsWith(time + END)) return null;
  return { delta, name: id[1] as string, number: Number(id[2]), middle: data.slice(end, -(time + END).length) };
}

/** The time of an event that was logged at `at`, as its JSON tells it; null where it cannot be told from there. */
const timeOf = (at: number): string | null => (Number.isSafeInteger(at) && Math.abs(at) < 1e14 ? isoTime(at) : null);

/** Adjacent deltas of one text, kept as that text and two bytes for each: 256 tokens take 2 to 6 KB, as entries they take 100. Every entry
 *  comes back to the letter; what could not is not taken. */
export class PackedDeltas {
  readonly first: number;
  readonly storedAt: number;
  readonly #like: LogEntry;
  readonly #shape: Shape;
  readonly #text = new FlatText();
  /** Two characters for each entry: how long its text is, and how many milliseconds it came after the one before. */
  readonly #steps = new FlatText();
  #count = 0;
  #lastAt: number;

  private constructor(like: LogEntry, shape: Shape, storedAt: number) {
    this.first = like.offset;
    this.storedAt = storedAt;
    // Its own text is in the pack.
    this.#like = { ...like, data: '' };
    this.#shape = shape;
    this.#lastAt = like.at;
    this.#put(shape.delta.body, like.at);
  }

  /** A pack that begins with `entry`; null where it is no delta of the usual form. */
  static of(entry: LogEntry, storedAt: number): PackedDeltas | null {
    const shape = shapeOf(entry);
    return shape === null || shape.delta.body.length > MOST_IN_BYTE ? null : new PackedDeltas(entry, shape, storedAt);
  }

  get run(): LogEntry['run'] {
    return this.#like.run;
  }
  /** Offset of the last entry. */
  get last(): number {
    return this.first + this.#count - 1;
  }

  /** Takes the next entry. False: it does not go with the others. */
  add(entry: LogEntry): boolean {
    const { kind, run, codec, at, data } = entry;
    const like = this.#like;
    const pauseMs = at - this.#lastAt;
    if (this.#count === MOST || kind !== like.kind || run !== like.run || codec !== like.codec || !(pauseMs >= 0 && pauseMs <= MOST_IN_BYTE)) return false;
    const { delta, name, number, middle } = this.#shape;
    const body = bodyAfter(delta, data);
    const time = timeOf(at);
    if (body === null || body.length > MOST_IN_BYTE || time === null) return false;
    const count = String(number + this.#count);
    let restAt = delta.head.length + body.length + delta.ids.length;
    for (const part of [name, count, middle, time, END]) {
      if (!data.startsWith(part, restAt)) return false;
      restAt += part.length;
    }
    if (restAt !== data.length) return false;
    this.#put(body, at);
    return true;
  }

  #put(body: string, at: number): void {
    this.#text.append(body);
    this.#steps.append(String.fromCharCode(body.length, at - this.#lastAt));
    this.#lastAt = at;
    this.#count++;
  }

  /** Its entries from `from` on, as they were taken. */
  *entries(from: number): Iterable<LogEntry> {
    const { delta, name, number, middle } = this.#shape;
    const text = this.#text.toString();
    const steps = this.#steps.toString();
    let { at } = this.#like;
    let start = 0;
    for (let i = 0; i < this.#count; i++) {
      const end = start + steps.charCodeAt(2 * i);
      at += steps.charCodeAt(2 * i + 1);
      if (this.first + i >= from) {
        const data = `${delta.head}${text.slice(start, end)}${delta.ids}${name}${number + i}${middle}${isoTime(at)}${END}`;
        yield { ...this.#like, offset: this.first + i, data, at };
      }
      start = end;
    }
  }
}
