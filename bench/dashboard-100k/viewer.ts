import { WebSocket } from 'ws';
import { LIVE_PROTOCOL, type LiveMessage, type LiveTopic } from '../../src/protocol/live.ts';

/** What the overview shows: figures, charts, map, nodes, alerts. */
export const OVERVIEW: readonly LiveTopic[] = [{ of: 'summary' }, { of: 'series', range: '15m' }, { of: 'map' }, { of: 'nodes' }, { of: 'alerts' }];
/** What a sorted list of everybody shows, in a window of as many rows as a screen has. */
export const LIST: readonly LiveTopic[] = [{ of: 'summary' }, { of: 'managers', sort: 'idle', window: { from: 0, size: 60 } }];

/** One operator's page, without a browser: counts what it is told. */
export class Viewer {
  readonly #socket: WebSocket;
  #bytes = 0;
  #updates = 0;
  #watches = 0;
  #since = performance.now();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#bytes += data.length;
      this.#updates++;
      const message = JSON.parse(data.toString()) as LiveMessage;
      if (message.type === 'problem') throw new Error(`Expected every topic to be told, got a problem: ${message.detail}`);
    });
  }

  static async open(port: number, key: string): Promise<Viewer> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/admin/api/v1/live`, LIVE_PROTOCOL, {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${key}` },
    });
    const viewer = new Viewer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('message', () => resolve());
      socket.once('error', reject);
    });
    return viewer;
  }

  watch(topics: readonly LiveTopic[]): void {
    for (const [id, topic] of topics.entries()) this.#socket.send(JSON.stringify({ type: 'watch', id, topic }));
    this.#watches = topics.length;
  }

  unwatch(): void {
    for (let id = 0; id < this.#watches; id++) this.#socket.send(JSON.stringify({ type: 'unwatch', id }));
    this.#watches = 0;
  }

  /** What came since the last call. */
  get told(): { readonly bytes: number; readonly updates: number; readonly forMs: number } {
    const now = performance.now();
    const told = { bytes: this.#bytes, updates: this.#updates, forMs: now - this.#since };
    this.#bytes = 0;
    this.#updates = 0;
    this.#since = now;
    return told;
  }

  close(): void {
    this.#socket.terminate();
  }
}
