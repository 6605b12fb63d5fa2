import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterStore, LETTER_TTL_MS, type Letter, type NodeCard } from '../../ports/cluster.ts';
import { newId, type Random } from '../../ports/random.ts';
import type { NodeId } from '../../protocol/ids.ts';
import { createSeatBook } from '../seats.ts';
import { backoffMs } from './client.ts';
import type { Connection } from './connection.ts';

/** Letters that a box keeps. */
const BOX_LETTERS = 1_000;
const READ_AT_ONCE = 100;
/** How long one read waits for a letter. */
const WAIT_MS = 2_000;
/** Before the first letter of an empty box. */
const BEFORE_ALL = '0-0';

/** What the nodes that share a Redis know of each other: cards in one hash, with the name of the data set, so that both get lost
 *  together; letters in a stream a node. */
export function createRedisNodes(connection: Connection, random: Random): ClusterStore {
  const { keys, seatDeadlineMs } = connection;
  return {
    seatBook: createSeatBook,
    beat: async (card, ttlMs) => {
      const args = [card.node, JSON.stringify(card), ttlMs, newId(random, 'cln').slice(4)];
      // Nobody waits for it; and a beat that fails takes the proof that others are dead for 5 s more.
      const [epoch, now, cards] = (await connection.run('node-beat', [keys.nodes], args, connection.logDeadlineMs)) as [string, string, readonly string[]];
      return { epoch, now: Number(now), nodes: cards.map((text) => JSON.parse(text) as NodeCard) };
    },
    leave: async ({ node, incarnation }) => {
      await connection.run('node-leave', [keys.nodes], [node, incarnation], seatDeadlineMs);
    },
    agree: async (name, proposal) => {
      const kept = await connection.command('SET', [keys.shared('agreed', name), proposal, 'NX', 'GET'], connection.logDeadlineMs);
      return typeof kept === 'string' ? kept : proposal;
    },
    post: async (to, letter) => {
      await connection.run('letter-post', [keys.box(to)], [JSON.stringify(letter), BOX_LETTERS, LETTER_TTL_MS], seatDeadlineMs);
    },
    receive: (node, read) => {
      const reader = new BoxReader(connection, node, read);
      void reader.run();
      return () => reader.close();
    },
  };
}

type Entry = readonly [id: string, fields: readonly string[]];

/** Reads one box from now on, over a connection of its own. */
class BoxReader {
  readonly #connection: Connection;
  readonly #reader: ReturnType<Connection['blocking']>;
  readonly #box: string;
  readonly #read: (letter: Letter) => void;
  readonly #closed = new AbortController();
  /** Asked for at once: what this process posts later comes after it. */
  readonly #start: Promise<string | null>;
  /** Behind which to read next; null while it is not known. */
  #last: string | null = null;

  constructor(connection: Connection, node: NodeId, read: (letter: Letter) => void) {
    this.#connection = connection;
    this.#reader = connection.blocking();
    this.#box = connection.keys.box(node);
    this.#read = read;
    this.#start = this.#newest().catch(() => null);
  }

  close(): void {
    this.#closed.abort();
    this.#reader.close();
  }

  get #isOver(): boolean {
    return this.#closed.signal.aborted || this.#connection.isClosed;
  }

  /** Ends when it is closed. Never rejects. */
  async run(): Promise<void> {
    this.#last = await this.#start;
    for (let failures = 0; !this.#isOver; ) {
      try {
        this.#last ??= await this.#newest();
        await this.#readFrom(this.#last);
        failures = 0;
      } catch {
        failures += 1;
        await this.#pause(backoffMs(failures));
      }
    }
  }

  /** Waits for letters behind `last` and hands them on. */
  async #readFrom(last: string): Promise<void> {
    const args = ['COUNT', READ_AT_ONCE, 'BLOCK', WAIT_MS, 'STREAMS', this.#box, last];
    const answer = (await this.#reader.command('XREAD', args, WAIT_MS + this.#connection.logDeadlineMs)) as readonly [string, readonly Entry[]][] | null;
    if (answer === null && isBehind(await this.#newest(), last)) this.#last = BEFORE_ALL;
    for (const [id, fields] of answer?.[0]?.[1] ?? []) {
      this.#last = id;
      if (!this.#isOver) this.#read(JSON.parse(fields[1] as string) as Letter);
    }
  }

  async #newest(): Promise<string> {
    const answer = await this.#connection.command('XREVRANGE', [this.#box, '+', '-', 'COUNT', 1], this.#connection.seatDeadlineMs);
    return (answer as readonly Entry[])[0]?.[0] ?? BEFORE_ALL;
  }

  #pause(ms: number): Promise<void> {
    // Aborted: the loop sees it.
    return sleep(ms, undefined, { ref: false, signal: this.#closed.signal }).catch(() => {});
  }
}

/** Whether the box begins anew below what was read: its server lost it, and its clock stepped back. */
function isBehind(newest: string, last: string): boolean {
  const [a = 0, b = 0] = newest.split('-').map(Number);
  const [c = 0, d = 0] = last.split('-').map(Number);
  return a < c || (a === c && b < d);
}
