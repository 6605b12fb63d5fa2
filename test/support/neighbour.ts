import { expect } from 'vitest';
import { HELLO, type TestGateway } from './gateway.ts';
import type { WireClient, WireFrame } from './wire-client.ts';

/** Somebody else's connection, open while another misbehaves. */
export class Neighbour implements AsyncDisposable {
  readonly client: WireClient;
  #asked = 0;

  private constructor(client: WireClient) {
    this.client = client;
  }

  static async of(gateway: TestGateway, user = 'neighbour'): Promise<Neighbour> {
    const { client } = await gateway.seat(user);
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 'n', from: 'start' });
    await client.next('replayed');
    return new Neighbour(client);
  }

  /** Proves that this very connection still works: it asks, and reads the whole answer and nothing but it. */
  async isWell(): Promise<void> {
    const text = `question ${++this.#asked}`;
    this.client.sendFrame({ type: 'send', id: `n-${this.#asked}`, thread: 'n', data: { text } });
    const accepted = await this.client.next('run-accepted');
    const events: WireFrame[] = [];
    let answer = '';
    for (;;) {
      const frame = await this.client.next('event');
      events.push(frame);
      if (frame.data.type === 'text_delta') answer += frame.data.text;
      if (frame.data.type !== 'agent_completed') continue;
      this.client.sendFrame({ type: 'ack', sub: 1, offset: frame.offset });
      break;
    }
    expect(answer.trim()).toBe(text);
    for (const frame of events.slice(1)) expect(frame.data.run_id).toBe(accepted.run);
    expect(this.client.frames.filter((frame) => frame.type === 'error' || frame.type === 'bye')).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}

export { HELLO };
