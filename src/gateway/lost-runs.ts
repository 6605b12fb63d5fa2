import { foldRun } from '../codecs/fold.ts';
import { newId } from '../ports/random.ts';
import type { RunRecord } from '../ports/store.ts';
import type { AgentEvent } from '../protocol/agent-events.ts';
import type { MessageId } from '../protocol/ids.ts';
import { AGENT_FAILURES } from '../protocol/texts.ts';
import type { Stream } from '../streams/stream.ts';
import { endRecords } from './run-agent.ts';
import type { RunDeps } from './thread-runs.ts';

const READ_BYTES = 1024 * 1024;

/** Ends a run whose process died, or that was lost to another writer: everything logged stays, and the person learns that the answer
 *  did not finish. Needs a stream that is ours to write. Rejects while the store cannot be used, or if the stream is lost again. */
export async function endLostRun(stream: Stream, record: RunRecord, { agent, clock, random, store, telemetry, tell }: RunDeps): Promise<void> {
  const events: AgentEvent[] = [];
  let firstAt: number | null = null;
  for (let from = record.firstOffset; from !== null && from <= stream.mark; ) {
    const entries = await store.log.read(stream.key, from, READ_BYTES);
    for (const entry of entries) {
      if (entry.run !== record.id || entry.kind !== 'agent') continue;
      firstAt ??= entry.at;
      events.push(JSON.parse(entry.data) as AgentEvent);
    }
    from = entries.length === 0 ? null : (entries.at(-1) as { offset: number }).offset + 1;
  }
  const at = clock.wall();
  const messageId = newId(random, 'msg') as MessageId;
  const ids = { thread_id: record.thread, run_id: record.id, timestamp: new Date(at).toISOString() };
  const log = { kind: 'agent', run: record.id, codec: 'agent-events', at } as const;
  let { firstOffset } = record;
  if (events.length === 0) {
    // It had said nothing yet. Every run has its start before its end.
    const started: AgentEvent = { type: 'agent_started', agent_name: agent.name, message_id: messageId, event_id: `${record.id}:1`, ...ids };
    events.push(started);
    firstOffset = stream.append({ ...log, data: JSON.stringify(started) });
  }
  const event: AgentEvent = { type: 'agent_error', event_id: `${record.id}:lost`, ...ids, ...AGENT_FAILURES.producerLost };
  events.push(event);
  const records = endRecords(record, foldRun(events), messageId, firstOffset, stream.head + 1, at);
  await stream.log({ ...log, data: JSON.stringify(event) }, records);
  stream.setActiveRun(null);
  const since = (at: number): number => Math.max(0, Math.round(at - record.createdAt));
  const { user, thread, id: run } = record;
  tell('run-ended', { user, thread, run, status: 'lost', provider: false, firstEventMs: firstAt === null ? null : since(firstAt), durationMs: since(at) });
  telemetry.record({ severity: 'WARNING', event: 'run-producer-lost', message: 'A run whose process had died was ended.', run: record.id });
}
