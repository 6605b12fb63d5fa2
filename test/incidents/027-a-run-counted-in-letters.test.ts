/** A run may log so many bytes. It was measured in letters, so that an answer in Japanese got three times the room, and the log three
 *  times what its operator had allowed. */

import { expect, it } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';

const ROOM_BYTES = 64 * 1024;

it('a run that logs more bytes than it may fails, whatever its script', async () => {
  const agent = new ScriptedAgent();
  await using gw = await startGateway({ agent, log: { runBytes: ROOM_BYTES } });
  const { client } = await gw.seat('ada');
  client.behave();
  client.sendFrame({ type: 'subscribe', sub: 1, thread: 't', from: 'start' });
  await client.next('replayed');
  client.sendFrame({ type: 'send', id: 'a', thread: 't', data: { text: 'go' } });
  const run = await agent.nextRun();
  run.start();
  const words = '東京は今日も晴れです。'.repeat(30);
  // 150 of them are 50,000 letters and 150,000 bytes.
  for (let n = 0; n < 150; n++) run.text(words);
  run.complete();
  const end = await client.nextWhere('the end', (f) => f.type === 'event' && (f.data.type === 'agent_completed' || f.data.type === 'agent_error'));
  expect(end.data.type).toBe('agent_error');
  const read = await gw.request('GET', '/v1/threads/t/messages', { user: 'ada' });
  const { messages } = (await read.json()) as { messages: { role: string; parts: { text: string }[] }[] };
  const answer = messages.find((m) => m.role === 'assistant')?.parts[0]?.text ?? '';
  expect(Buffer.byteLength(answer)).toBeLessThan(ROOM_BYTES);
});
