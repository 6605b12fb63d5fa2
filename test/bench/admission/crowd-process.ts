// Many clients in one process, so that one signal stops them all. Opens what it is told over IPC and says how each went.

import { nowMs } from '../../support/lab/time.ts';
import { ProvableClient } from '../../support/peers/provable-client.ts';
import type { CrowdCommand, CrowdSaid, Opened } from './crowd.ts';

/** Connects under way at once while the stage is set; a measured opening is all at once. */
const AT_ONCE = 20;

const say = (said: CrowdSaid): void => void process.send?.(said);
process.once('disconnect', () => process.exit(0));

async function open(command: CrowdCommand, i: number): Promise<Opened> {
  const { token, user } = command.clients[i] as CrowdCommand['clients'][number];
  const dialledAt = nowMs();
  const client = await ProvableClient.open(command.url, { token, thread: `${user}-${process.pid}-${i}`, deadlineMs: 30_000 });
  return {
    user,
    dialledAt,
    readyAfterMs: client.seatedAfterMs,
    helloToReadyMs: client.helloToReadyMs,
    wasQueued: client.wire.frames.some((f) => f.type === 'queued'),
  };
}

process.on('message', (command: CrowdCommand) => {
  const next = command.clients.keys();
  const opened: Opened[] = [];
  const worker = async (): Promise<void> => {
    for (const i of next) opened.push(await open(command, i));
  };
  const workers = Array.from({ length: command.allAtOnce ? command.clients.length : AT_ONCE }, worker);
  Promise.all(workers).then(
    () => say({ is: 'opened', opened }),
    (error: unknown) => say({ is: 'failed', why: String(error) }),
  );
});
