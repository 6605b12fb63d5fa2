import type { Random } from '../../ports/random.ts';
import type { Claim, LogEntry, LogStore, StreamKey, StreamState } from '../../ports/store.ts';
import { type Epoch, type NodeId, spellRandom } from '../../protocol/ids.ts';
import { newEpoch } from '../epochs.ts';
import { bytesOf } from '../retention.ts';
import { createAppend } from './append.ts';
import type { Connection } from './connection.ts';
import { Persistence } from './persistence.ts';
import { readEntry, readState, type StreamEntry } from './records.ts';
import { StreamIndex } from './stream-index.ts';
import { streamKeys } from './stream-keys.ts';
import { createTrim } from './trim.ts';

/** Entries asked for at once: at first, and at most when they turn out to be small. */
const FIRST_PAGE = 64;
const LARGEST_PAGE = 300;

/** The log in Redis: of each stream one Redis Stream whose ids are the offsets. An epoch holds on one line of a server's data only:
 *  where something confirmed may have been lost (a failover, a restart without `appendfsync always`), the first who writes begins a new
 *  one, so that no offset ever means two entries. */
export function createRedisLog(connection: Connection, random: Random): LogStore {
  const { keys, logDeadlineMs } = connection;
  const persistence = new Persistence(connection);
  const index = new StreamIndex(connection);
  const teller = spellRandom(random.bytes(12), 12);

  async function state(key: StreamKey): Promise<StreamState> {
    const { stream, user } = streamKeys(keys, key);
    return readState(
      await persistence.decided(async (always) => parts(await connection.run('stream-state', [stream, user.new], [newEpoch(random), always], logDeadlineMs))),
    );
  }

  async function claim(key: StreamKey, o?: Parameters<LogStore['claim']>[1]): Promise<Claim> {
    const { stream, user, news } = streamKeys(keys, key);
    const { node = '', incarnation = '' } = o?.by ?? {};
    const answer = await persistence.decided(async (always) =>
      parts(
        await connection.run('stream-claim', [stream, user.new], [newEpoch(random), always, node, incarnation, o?.seize ?? '', news, teller], logDeadlineMs),
      ),
    );
    const [is, token, ofNode = '', ofIncarnation = ''] = answer;
    const claimed = readState(answer, 4);
    // Whoever looks for runs without a writer must find these, also where the note was lost that they are there.
    if (claimed.activeRun !== null) await index.touch([{ key, isOpen: true }]);
    return { ...claimed, token: Number(token), heldBy: is === 'held' ? { node: ofNode as NodeId, incarnation: ofIncarnation } : null };
  }

  async function read(key: StreamKey, from: number, maxBytes: number): Promise<readonly LogEntry[]> {
    const { log } = streamKeys(keys, key);
    const found: LogEntry[] = [];
    let bytes = 0;
    let next = Math.max(0, from);
    for (let count = FIRST_PAGE; ; ) {
      const page = (await connection.command('XRANGE', [log, `${next}-0`, '+', 'COUNT', count], logDeadlineMs)) as readonly StreamEntry[];
      for (const entry of page.map(readEntry)) {
        // Retention may have passed by between two pages.
        if (found.length > 0 && entry.offset !== next) return found;
        bytes += bytesOf(entry.data);
        if (found.length > 0 && bytes > maxBytes) return found;
        found.push(entry);
        next = entry.offset + 1;
      }
      if (page.length < count) return found;
      count = Math.min(LARGEST_PAGE, Math.max(16, Math.ceil(((maxBytes - bytes) * found.length) / Math.max(1, bytes))));
    }
  }

  return {
    state,
    claim,
    read,
    watch(key, changed) {
      return connection.subscriptions.listen(streamKeys(keys, key).news, (news) => {
        const [by, epoch = '', head = '0'] = news.split(' ');
        if (by !== teller) changed({ epoch: epoch as Epoch, head: Number(head) });
      });
    },
    append: createAppend({ connection, random, persistence, index, teller, stateOf: (request) => state(request.key) }),
    async renewEpoch(key, o) {
      const { stream, log, bytes, messages, news, user } = streamKeys(keys, key);
      const args = [newEpoch(random), o?.keep === false ? '0' : '1', key.thread, news, teller];
      return readState(parts(await connection.run('stream-renew', [stream, log, bytes, user.new, messages, user.runs], args, logDeadlineMs)));
    },
    trim: createTrim(connection, index),
  };
}

const parts = (answer: unknown): readonly string[] => answer as readonly string[];
