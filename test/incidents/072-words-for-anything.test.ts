/** An agent handed on what a library of its own had thrown: an object without a prototype. The gateway wanted to write down what it was,
 *  which such an object does not let anybody do. The run never ended, its conversation was closed to every message from then on, and the
 *  promise that had broken nobody's hands ended the process with everybody's sessions in it. */

import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const THROWN = {
  'an object without a prototype': Object.create(null) as unknown,
  'an object that does not let itself be read': {
    toString(): string {
      throw new Error('No.');
    },
  },
  nothing: undefined,
};

test.each(Object.entries(THROWN))('an agent that throws %s fails its run, and the next one is answered', async (_, thrown) => {
  let runs = 0;
  await using gw = await startGateway({
    async *agent() {
      runs += 1;
      yield { type: 'text_delta', text: 'half a' };
      if (runs === 1) throw thrown;
    },
  });
  const { client } = await gw.seat('ada');
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  const ask = async (id: string): Promise<void> => {
    client.sendFrame({ type: 'send', id, thread: 't', data: { text: 'go' } });
    await client.next('run-accepted');
  };
  const end = async (): Promise<string> => {
    for (;;) {
      const { data } = await client.next('event');
      for (const { type } of [data].flat()) if (type === 'agent_error' || type === 'agent_completed') return type;
    }
  };
  await ask('first');
  expect(await end()).toBe('agent_error');
  await ask('second');
  expect(await end()).toBe('agent_completed');
});
