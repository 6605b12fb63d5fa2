// Performs one drill. It is told what to do by the gateway's program and tells it what happens; the two have nothing else in common:
// from here on everything goes through the ports that everybody uses.

import { type DrillNews, type DrillOrder, END } from './order.ts';
import { PLAYS } from './plays/plays.ts';
import { Stage } from './stage.ts';

const tell = (news: DrillNews): void => void (process.connected && process.send?.(news));
let stage: Stage | null = null;
let isEnding = false;

process.on('message', (message) => {
  if (message === END) void end(null);
  else void play(message as DrillOrder);
});
// Whoever wanted it is gone.
process.on('disconnect', () => void end(null));
// Ctrl-C in a terminal reaches all processes at once; who ends this one is the gateway's program.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
for (const trouble of ['uncaughtException', 'unhandledRejection'] as const) process.on(trouble, (error: unknown) => void end(reasonOf(error)));

async function play(order: DrillOrder): Promise<void> {
  stage = new Stage(order, tell);
  try {
    await PLAYS[order.name](stage);
    await stage.crew.leave();
    await end(null);
  } catch (error) {
    await end(reasonOf(error));
  }
}

async function end(failure: string | null): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await stage?.close();
  if (!process.connected) process.exit();
  const news: DrillNews = { over: true, failure };
  process.send?.(news, () => process.exit());
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
