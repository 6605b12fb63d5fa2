/** A person opened another conversation while the page was coming back: the hello had just named the first one, and there was no seat yet on
 *  which to take that back. The client forgot it, the gateway never heard so: it went on sending what nobody read, nobody acknowledged it,
 *  and a tab that was in use looked like one that had died. */

import { expect, test } from 'vitest';
import { createSpillway, type DebugEvent } from '../../src/client/index.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { eventually } from '../support/bare-node.ts';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

test('a conversation that is left between the hello and the seat is left', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent });
  const token = await gw.token('ada');
  const sockets: WebSocket[] = [];
  class Kept extends WebSocket {
    constructor(...to: ConstructorParameters<typeof WebSocket>) {
      super(...to);
      sockets.push(this);
    }
  }
  let hellos = 0;
  let off = (): void => {};
  const debug = (event: DebugEvent): void => {
    if (event.type !== 'frame' || event.frame !== 'hello') return;
    hellos += 1;
    // It is on its way, and names the conversation.
    if (hellos === 2) off();
  };
  await using client = createSpillway({ url: gw.wsUrl, getToken: async () => token, webSocket: Kept, debug, retry: { minDelayMs: 1 } });
  const seen: unknown[] = [];
  off = client.thread('t').on((event) => void seen.push(event), { from: 'start' });
  client.thread('other').on(() => {});
  await client.connect();
  const threads = (): string =>
    gw.gateway.factory
      .list('ada' as UserId)
      .flatMap((manager) => manager.threads)
      .join();
  await eventually('both conversations to be followed', () => threads() === 't,other');

  sockets[0]?.close();
  await eventually('the client to be back', () => hellos === 2 && client.state.name === 'live');
  await eventually('the conversation to be left', () => threads() === 'other');
  client.thread('t').send('is anybody here?');
  (await agent.nextRun()).start().complete();
  expect(seen).toEqual([]);
});
