/** What leaves in one write, and what is made once for everybody. */

import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { HELLO, startGateway, tokenFor } from '../support/gateway.ts';
import { listenAnywhere } from '../support/ports.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { WireClient } from '../support/wire-client.ts';

/** Counts what a socket hands to the kernel: every `_write` and `_writev` of a socket is one call of the system. */
function countWrites(socket: Socket): () => number {
  let count = 0;
  for (const name of ['_write', '_writev'] as const) {
    const original = socket[name] as (...args: unknown[]) => void;
    Object.assign(socket, {
      [name](...args: unknown[]) {
        count++;
        original.apply(socket, args);
      },
    });
  }
  return () => count;
}

test('whatever becomes due in one turn of the event loop leaves in one write of the socket', async () => {
  const agent = new ScriptedAgent();
  await using gateway = createGateway({ authenticate: jwtAuthenticator({ secret: new TextEncoder().encode('a secret of the tests, 32 bytes long') }), agent });
  const server = createServer(gateway.handler);
  let writes = (): number => 0;
  server.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
    writes = countWrites(socket);
  });
  gateway.attach(server);
  const port = await listenAnywhere(server);
  await using client = await WireClient.open(`ws://127.0.0.1:${port}/v1/ws`);
  client.sendFrame({ ...HELLO, token: await tokenFor('ada') });
  await client.next('ready');
  for (const [sub, thread] of ['a', 'b'].entries()) {
    client.sendFrame({ type: 'subscribe', sub: sub + 1, thread, from: 'start' });
    await client.next('replayed');
    client.sendFrame({ type: 'send', id: thread, thread, data: { text: 'go' } });
  }
  const runs = [await agent.nextRun(), await agent.nextRun()];
  for (const run of runs) run.start();
  for (const sub of [1, 2]) await client.nextWhere('the start', (f) => f.type === 'event' && f.sub === sub && f.data.type === 'agent_started');
  const before = writes();
  for (const [i, run] of runs.entries()) {
    run.text('many ', 'words ', 'é漢😀 ');
    run.say({ type: 'tool_executing', tool_name: `tool ${i}`, execution_id: 'x' });
    run.text('and more');
  }
  for (const sub of [1, 2]) await client.nextWhere('the last words', (f) => f.type === 'event' && f.sub === sub && f.data.text === 'and more');
  expect(writes() - before).toBe(1);
  // Adjacent deltas in one frame, the others each in its own.
  expect(client.frames.filter((f) => f.type === 'event' && f.sub === 1 && f.offset > 2).map((f) => [f.from ?? f.offset, f.offset])).toEqual([
    [3, 5],
    [6, 6],
    [7, 7],
  ]);
  server.close();
});

test('an event is made into JSON once, however many follow', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const clients: WireClient[] = [];
  for (let n = 0; n < 5; n++) {
    const { client } = await gw.seat('ada');
    client.behave();
    client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
    await client.next('replayed');
    clients.push(client);
  }
  clients[0]?.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  let made = 0;
  const parameters = {
    toJSON() {
      made++;
      return { made };
    },
  };
  run.start().say({ type: 'tool_executing', tool_name: 'count', execution_id: 'x', parameters });
  for (const client of clients) {
    const frame = await client.nextWhere('the tool', (f) => f.type === 'event' && f.data.type === 'tool_executing');
    expect(frame.data.parameters).toEqual({ made: 1 });
  }
  expect(made).toBe(1);
});
