import { setTimeout as delay } from 'node:timers/promises';
import type { Position } from '../../client/index.ts';
import { BOUNDS } from '../../protocol/frames.ts';
import { Browser, type Tab } from '../browser.ts';
import { compare, figuresOf, reportEvictions, usualFacts } from '../figures.ts';
import { hasSocketTables, type Queues, queuesOf } from '../kernel.ts';
import { metricIn } from '../metrics.ts';
import type { Stage } from '../stage.ts';
import { ANSWER_WITHIN_MS, askUntilItFlows, longQuestion, openTabs } from '../talk.ts';
import { SLACK_MS, transportBoundMs } from '../watch-dead.ts';

/** Each is more than the kernel takes for a client that does not read. They are cancelled while they wait behind an answer, so that no
 *  agent sees them. */
const MESSAGES = 4;
const MESSAGE_BYTES = 240_000;
const ANSWER_S = 15;
const LOOK_EVERY_MS = 200;
/** Pings and other small frames come at least once in so many intervals of pings. */
const SMALL_FRAMES = 4;

/** Clients stop reading, and much comes for them. */
export async function slowReader(stage: Stage): Promise<void> {
  const { order, admin, crew } = stage;
  const { count, options } = order;
  const closed = hasSocketTables() ? stage.expects('What nobody reads stays in the kernel: the TCP window closes') : null;
  const bounded = stage.expects('What is held for them is bounded');
  const back = stage.expects('When they read again, nothing is missing');
  const before = await figuresOf(admin);

  const thread = `${order.id}-slow`;
  const others = Browser.start(crew);
  const [writer] = await openTabs(stage, others, 1, thread, 'writing tab');
  if (writer === undefined) return;
  await askUntilItFlows(stage, writer, [writer], longQuestion(ANSWER_S));
  const from = await sendMuch(stage, writer);
  stage.step(`${MESSAGES} messages of ${MESSAGE_BYTES / 1_000} kB stand in the conversation, the answer goes on behind them`);

  const [reader] = await openTabs(stage, others, 1, thread, 'reading tab', { follows: false });
  const slow = await openTabs(stage, Browser.start(crew), count, thread, 'slow tab', { follows: false });
  if (reader === undefined) return;
  reader.tell({ follow: from });
  for (const tab of slow) tab.tell({ read: false });
  const gatewayPort = Number(new URL(stage.wsUrl).port);
  const inKernel = (withinMs: number, isSo: (queues: Queues) => boolean): Promise<Queues | null> =>
    stage.sees(withinMs, () => sumWhere(slow, gatewayPort, isSo));
  // What a paused socket takes on its own is little, and comes with the next small frame.
  if (closed !== null) await inKernel(options.health.pingEveryMs * SMALL_FRAMES + SLACK_MS, ({ unreadBytes }) => unreadBytes > 0);
  stage.step('they have stopped reading');
  const held = watchMemory(stage);
  for (const tab of slow) tab.tell({ follow: from });
  const full = closed === null ? null : await inKernel(SLACK_MS, ({ unreadBytes, unsentBytes }) => unreadBytes > 0 && unsentBytes > BOUNDS.rangeBytes);
  closed?.(
    full !== null,
    full === null ? 'the kernel could send everything' : `${full.unreadBytes} bytes unread there, ${full.unsentBytes} that may not be sent`,
  );
  if (full !== null) stage.step(`their TCP windows are closed: ${full.unsentBytes} bytes may not be sent`);

  await delay(transportBoundMs(stage));
  const most = await held.end();
  const kernelBytes = full === null ? 0 : full.unreadBytes + full.unsentBytes;
  const allowed = count * (options.window.maxBytes + BOUNDS.frameBytes);
  bounded(
    most !== null && most + kernelBytes <= allowed,
    most === null ? 'the gateway does not say' : `at most ${most} bytes in the gateway and ${kernelBytes} in the kernel, allowed ${allowed}`,
  );
  for (const tab of slow) tab.tell({ read: true });
  stage.step('they read again');

  const isSame = ({ told }: Tab): boolean => told.offset === reader.told.offset && told.sum === reader.told.sum;
  const isOver = (): boolean => reader.told.offset === writer.told.offset && Object.keys(reader.told.answers).length > 0;
  await stage.sees(ANSWER_WITHIN_MS, () => (slow.every((tab) => tab.isLive && isSame(tab)) && isOver() ? true : null));
  const same = slow.filter((tab) => isSame(tab) && tab.told.faults.length + tab.told.gaps === 0);
  const seen = `${same.length} of ${count} have the same ${reader.told.characters} characters to offset ${reader.told.offset}: 0 lost, 0 doubled, 0 reordered`;
  back(same.length === count && isOver(), seen);
  stage.step(seen);
  const tabs = [writer, reader, ...slow];
  await compare(stage, async () => await usualFacts(stage, before, tabs, tabs.length));
  await reportEvictions(stage, before);
}

/** What the kernel has for all of them, if it is so for each. */
function sumWhere(tabs: readonly Tab[], gatewayPort: number, isSo: (queues: Queues) => boolean): Queues | null {
  const each = tabs.map(({ port }) => queuesOf(port, gatewayPort));
  if (!each.every((queues) => queues !== null && isSo(queues))) return null;
  const sum = (which: keyof Queues): number => each.reduce((all, queues) => all + (queues?.[which] ?? 0), 0);
  return { unreadBytes: sum('unreadBytes'), unsentBytes: sum('unsentBytes') };
}

/** Sends it all behind an answer that is under way. Gives the position before the first of it. */
async function sendMuch(stage: Stage, writer: Tab): Promise<Position> {
  const ids = Array.from({ length: MESSAGES }, (_, i) => `${stage.order.id}-much-${i}`);
  for (const id of ids) writer.tell({ ask: { id, text: `${id} `.repeat(MESSAGE_BYTES / (id.length + 1)) } });
  const positions: Position[] = [];
  for (const id of ids) {
    const { run, position } = await stage.needs('a message to be accepted', ANSWER_WITHIN_MS, () => {
      const why = writer.refused.get(id);
      if (why !== undefined) throw new Error(`Expected a message to be accepted, got: ${why}`);
      return writer.accepted.get(id) ?? null;
    });
    positions.push(position);
    writer.tell({ cancel: run });
  }
  const { epoch, offset } = positions[0] as Position;
  return { epoch, offset: offset - 1 };
}

/** The most bytes that the gateway held for transports which the operating system had not taken, above what it was at first. */
function watchMemory({ admin }: Stage): { end(): Promise<number | null> } {
  let isOver = false;
  const watching = (async () => {
    let first: number | null = null;
    let most: number | null = null;
    while (!isOver) {
      const held = metricIn(await admin.metrics(), 'spillway_buffered_bytes');
      if (held !== null) {
        first ??= held;
        most = Math.max(most ?? 0, held - first);
      }
      await delay(LOOK_EVERY_MS);
    }
    return most;
  })();
  // Who asks for the end hears of it.
  watching.catch(() => {});
  return {
    end() {
      isOver = true;
      return watching;
    },
  };
}
