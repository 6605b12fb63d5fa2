/** The person's own sessions over plain HTTP, and what the client says about itself. */

import { expect, test, vi } from 'vitest';
import { createSpillway, type DebugEvent } from '../../src/client/index.ts';
import { Peer } from './client-peer.ts';

test('the own sessions are asked for on the same host, behind the same prefix, without a connection', async () => {
  await using peer = await Peer.open();
  const reasons: string[] = [];
  peer.answer = (request, response) => {
    if (request.headers.authorization === 'Bearer connect') response.writeHead(401).end('{"code":"credential-expired"}');
    else response.end(JSON.stringify({ sessions: [], freed: ['mgr_1'], limits: {} }));
  };
  await using client = createSpillway({
    url: peer.url.replace('/v1/ws', '/chat/v1/ws?ticket=once'),
    getToken: ({ reason }) => {
      reasons.push(reason);
      return reason;
    },
  });
  expect(await client.sessions.list()).toEqual([]);
  expect(await client.sessions.free('mgr/1')).toMatchObject({ freed: ['mgr_1'] });
  expect(await client.sessions.freeUnresponsive()).toMatchObject({ freed: ['mgr_1'] });
  expect(peer.requests.map((r) => `${r.method} ${r.url}`)).toEqual([
    'GET /chat/v1/me/sessions',
    'GET /chat/v1/me/sessions',
    'DELETE /chat/v1/me/sessions/mgr%2F1',
    'POST /chat/v1/me/sessions/free-unresponsive',
  ]);
  expect(reasons).toEqual(['connect', 'rejected']);
  expect(client.state.name).toBe('idle');
});

test('a refusal rejects with the words of the gateway and its code', async () => {
  await using peer = await Peer.open();
  peer.answer = (_, response) => void response.writeHead(404).end('{"code":"not-found","title":"Not found","detail":"You have no session of this id."}');
  await using client = createSpillway({ url: peer.url });
  await expect(client.sessions.free('x')).rejects.toMatchObject({
    code: 'SPILLWAY_REFUSED',
    message: 'You have no session of this id.',
    retry: 'never',
    cause: { status: 404, code: 'not-found' },
  });
});

test('what cannot work is said at once, with what was expected', () => {
  expect(() => createSpillway({ url: 'no address' })).toThrow('Expected `url` to be the address of /v1/ws, whole outside a page, got "no address".');
  expect(() => createSpillway({ url: 'ws://127.0.0.1/v1/ws', webSocket: 3 as never })).toThrow(/`webSocket`/);
  const client = createSpillway({ url: 'ws://127.0.0.1/v1/ws' });
  expect(() => client.thread('no thread')).toThrow(/Expected a thread id/);
  expect(client.thread('t')).toBe(client.thread('t'));
});

test('frames are told without their contents, and nothing is printed', async () => {
  const printed = vi.spyOn(console, 'debug');
  await using peer = await Peer.open();
  const events: DebugEvent[] = [];
  await using client = createSpillway({ url: peer.url, getToken: () => 'a-secret', debug: (event) => events.push(event) });
  const connected = client.connect();
  const socket = await peer.socket();
  await socket.seat();
  await connected;
  client.thread('t1').send('something private');
  await socket.frame('send');
  expect(events.map((e) => (e.type === 'frame' ? `${e.direction} ${e.frame}` : e.type))).toEqual(['dial', 'out hello', 'in welcome', 'in ready', 'out send']);
  expect(JSON.stringify(events)).not.toMatch(/a-secret|private/);
  expect(printed).not.toHaveBeenCalled();
  printed.mockRestore();
});
