import { HELLO } from '../support/gateway.ts';
import { WireClient } from '../support/wire-client.ts';
import type { FaultGateway } from './fault-gateway.ts';

const SEATED_WITHIN_MS = 500;
const MILD = new Set(['conservative', 'moderate']);

/** A seat that was given back is really there: another client of the same person gets it at once, and nobody who lives goes for it. */
export async function crossCheck(gateway: FaultGateway, user: string): Promise<{ readonly seatedMs: number; readonly broken: readonly string[] }> {
  await using wire = await WireClient.open(gateway.wsUrl, { deadlineMs: 10_000 });
  wire.behave();
  const { nextCursor } = await gateway.admin('events?type=admission-ended&limit=1');
  const token = await gateway.token(user);
  const startedAt = performance.now();
  wire.sendFrame({ ...HELLO, token });
  const ready = await wire.next('ready');
  const seatedMs = Math.round(performance.now() - startedAt);
  const { events } = await gateway.admin(`events?type=admission-ended&user=${user}&cursor=${nextCursor}`);
  // biome-ignore lint/suspicious/noExplicitAny: one record of the admin API, of which two fields are read.
  const record = events.find((event: any) => event.data.managerId === ready.manager)?.data;
  wire.sendFrame({ type: 'bye', reason: 'left' });
  await wire.closed;
  const strict = (record?.levels ?? []).filter(({ level }: { level: string }) => !MILD.has(level));
  return {
    seatedMs,
    broken: [
      ...(seatedMs > SEATED_WITHIN_MS
        ? [`the seat that it gave back was given to the next one after ${seatedMs} ms, ${SEATED_WITHIN_MS} ms were expected`]
        : []),
      ...strict.map(({ level }: { level: string }) => `the seat that it gave back was had at level ${level} only`),
    ],
  };
}
