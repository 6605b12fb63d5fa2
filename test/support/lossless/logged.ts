/** The second record: what the gateway has logged, read as anybody may read it. */

import { numberedEvents } from './numbered.ts';
import type { Logged } from './records.ts';

export interface LogRequest {
  /** `http://host:port`. */
  readonly url: string;
  readonly token: string;
  readonly thread: string;
  /** Default 30 s. */
  readonly deadlineMs?: number;
}

export interface Told {
  readonly type: 'event' | 'gap' | 'replayed';
  readonly from?: number;
  readonly offset: number;
  readonly to?: number;
  readonly data?: unknown;
}

export interface ToldWithId {
  /** `epoch:n`. */
  readonly id: string;
  readonly told: Told;
}

/** All entries that are logged now, through `GET /v1/threads/:id/events?from=<epoch>:0`. Entries that travel merged are told apart again
 *  by their numbers. Empty for a thread that does not exist. */
export async function readLog(request: LogRequest): Promise<readonly Logged[]> {
  const entries: Logged[] = [];
  for await (const { id, told } of toldLog(request)) entries.push(...entriesOf({ id, told }));
  return entries;
}

/** What the gateway tells of everything that is logged now, as `event` frames with their ids. Nothing for a thread that does not exist. */
export async function* toldLog({ url, token, thread, deadlineMs = 30_000 }: LogRequest): AsyncGenerator<ToldWithId> {
  const path = `${url}/v1/threads/${encodeURIComponent(thread)}`;
  const headers = { authorization: `Bearer ${token}` };
  const ending = AbortSignal.timeout(deadlineMs);
  const snapshot = await fetch(`${path}/messages?limit=1`, { headers, signal: ending });
  if (snapshot.status === 404) return;
  if (!snapshot.ok) throw new Error(`Expected the conversation of ${thread}, got ${snapshot.status}: ${await snapshot.text()}`);
  const { position } = (await snapshot.json()) as { position: { epoch: string } };
  const leaving = new AbortController();
  const response = await fetch(`${path}/events?from=${position.epoch}:0`, { headers, signal: AbortSignal.any([ending, leaving.signal]) });
  if (!response.ok || response.body === null) throw new Error(`Expected the log of ${thread}, got ${response.status}: ${await response.text()}`);
  let last = 0;
  try {
    for await (const frame of frames(response.body)) {
      if (frame.told.type === 'replayed') return;
      if (frame.told.type === 'event') yield frame;
      last = frame.told.offset;
    }
  } finally {
    leaving.abort();
  }
  throw new Error(`Expected the log of ${thread} up to its end, but it broke off behind offset ${last}.`);
}

/** Each delta holds one mark, so the numbers of a range name its entries; a range that does not read so shows as unlogged numbers. */
export function entriesOf({ id, told: { from, offset, data } }: ToldWithId): readonly Logged[] {
  const epoch = id.slice(0, id.lastIndexOf(':'));
  const first = from ?? offset;
  const events = numberedEvents(data);
  const extra = events.slice(offset - first + 1);
  if (extra.length > 0) throw new Error(`Expected at most one numbered event an entry, got ${events.length} in ${first}…${offset}.`);
  return Array.from({ length: offset - first + 1 }, (_, i) => ({
    epoch,
    offset: first + i,
    number: events[i]?.number ?? null,
    digest: events[i]?.digest ?? null,
  }));
}

async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<ToldWithId> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
      if (fields.get('event') === 'bye') throw new Error(`Expected the log, was sent away: ${fields.get('data')}`);
      const data = fields.get('data');
      if (data !== undefined) yield { id: fields.get('id') ?? '', told: JSON.parse(data) as Told };
    }
  }
}
