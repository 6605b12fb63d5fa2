/** The client against the real gateway. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSpillway, type StreamEvent, type ThreadEvent } from '../../src/client/index.ts';
import { ThreadStore } from '../../src/integrations/thread-store.ts';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { until } from './client-peer.ts';
import { wireTo } from './client-wire.ts';

const textOf = (event: StreamEvent<ThreadEvent>): string => (event.data.type === 'text_delta' ? event.data.text : '');
const shown = (store: ThreadStore): string =>
  store
    .view()
    .messages.map((m) => `${m.role}: ${m.parts.map((p) => ('text' in p ? p.text : '')).join('')}`)
    .join('\n');

test('a person asks and gets the whole answer, and sees it in the list of messages', async () => {
  await using gateway = await startGateway();
  await using client = createSpillway({ url: gateway.wsUrl, getToken: () => gateway.token('ada'), label: 'Laptop' });
  const store = new ThreadStore(client, 't1');
  const unsubscribe = store.subscribe(() => {});
  const run = client.thread('t1').send('why is the sky blue');
  let text = '';
  for await (const event of run) text += textOf(event);
  expect(text).toBe('why is the sky blue ');
  expect(await run.accepted).toMatchObject({ duplicate: false, runId: expect.stringMatching(/^run_/) });
  await until(() => store.view().status === 'ready' && store.view().messages.length === 2, 'two messages');
  expect(shown(store)).toBe('user: why is the sky blue\nassistant: why is the sky blue ');
  expect(client.state).toMatchObject({ name: 'live', resume: 'fresh' });
  const sessions = await client.sessions.list();
  expect(sessions).toMatchObject([{ label: 'Laptop', current: true, connected: true }]);
  unsubscribe();
});

test('an answer survives any number of cuts, anywhere: every reader sees every word once, in order', async () => {
  const agent = new ScriptedAgent();
  await using gateway = await startGateway({ agent });
  let n = 0;
  let connections = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 200, max: 4_000 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      async (cuts, pauseEvery) => {
        n += 1;
        const user = `user-${n}`;
        await using wire = await wireTo(gateway.wsUrl);
        await using client = createSpillway({ url: wire.url, getToken: () => gateway.token(user), retry: { minDelayMs: 5, maxDelayMs: 20 } });
        const store = new ThreadStore(client, 't');
        const unsubscribe = store.subscribe(() => {});
        const listened: string[] = [];
        const slowly: string[] = [];
        const thread = client.thread('t');
        thread.on((event) => void listened.push(textOf(event)), { from: 'start' });
        thread.on(
          async (event) => {
            await Promise.resolve();
            slowly.push(textOf(event));
          },
          { from: 'start' },
        );
        const budgets = [...cuts];
        wire.cutAfterBytes = budgets.shift() ?? null;
        client.on('state', (state) => {
          if (state.name === 'reconnecting') wire.cutAfterBytes = budgets.shift() ?? null;
        });
        const run = thread.send('go');
        const looped: string[] = [];
        const loop = (async () => {
          for await (const event of run) looped.push(textOf(event));
        })();
        const words = Array.from({ length: 120 }, (_, i) => `w${i} `);
        const script = await agent.nextRun();
        script.start();
        for (const [i, word] of words.entries()) {
          script.text(word);
          if (i % pauseEvery === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        script.complete();
        await loop;
        const whole = words.join('');
        await until(() => listened.join('') === whole && slowly.join('') === whole, 'both listeners to have read everything');
        expect(looped.join('')).toBe(whole);
        await until(() => store.view().isLoaded && store.view().status === 'ready', 'the conversation to be at rest');
        expect(shown(store)).toBe(`user: go\nassistant: ${whole}`);
        connections += wire.connections;
        unsubscribe();
      },
    ),
    { numRuns: 40 },
  );
  // A WebSocket and a snapshot each, if nothing had been cut.
  expect(connections).toBeGreaterThan(n * 2);
});

test('a session closed from another one waits for its person, and then goes on where it was', async () => {
  await using gateway = await startGateway();
  const open = (label: string) => createSpillway({ url: gateway.wsUrl, getToken: () => gateway.token('ada'), label });
  await using laptop = open('Laptop');
  await using phone = open('Phone');
  const seen: string[] = [];
  laptop.thread('t').on((event) => void seen.push(textOf(event)), { from: 'start' });
  await laptop.connect();
  await phone.connect();
  const mine = laptop.state.name === 'live' ? laptop.state.manager : '';
  expect(await phone.sessions.free(mine)).toMatchObject({ freed: [mine] });
  await until(() => laptop.state.name === 'superseded', 'the laptop to be paused');
  expect(laptop.state).toMatchObject({ info: { code: 4203, return: 'user', text: expect.stringContaining('You closed this one') } });
  for await (const _ of phone.thread('t').send('one two')) {
    // Read to the end.
  }
  expect(seen).toEqual([]);
  await laptop.resume();
  expect(laptop.state).toMatchObject({ name: 'live', manager: mine, resume: 'readmitted' });
  await until(() => seen.join('') === 'one two ', 'the answer to be read');
});

test('a thread that nobody has written to is empty, and fills with its first message', async () => {
  await using gateway = await startGateway();
  await using client = createSpillway({ url: gateway.wsUrl, getToken: () => gateway.token('ada') });
  const store = new ThreadStore(client, 'new');
  const unsubscribe = store.subscribe(() => {});
  await until(() => store.view().isLoaded, 'the thread to be loaded');
  expect(store.view()).toMatchObject({ messages: [], status: 'ready' });
  store.send('hello');
  expect(store.view().status).toMatch(/queued|ready/);
  await until(() => shown(store) === 'user: hello\nassistant: hello ', 'the answer');
  unsubscribe();
});

test('stop ends the run of this page, and of another one', async () => {
  const agent = new ScriptedAgent();
  await using gateway = await startGateway({ agent });
  const open = () => createSpillway({ url: gateway.wsUrl, getToken: () => gateway.token('ada') });
  await using client = open();
  const run = client.thread('t').send('go');
  const script = await agent.nextRun();
  script.start().text('a ');
  await run.accepted;
  await using other = open();
  const store = new ThreadStore(other, 't');
  const unsubscribe = store.subscribe(() => {});
  await until(() => store.view().status === 'running', 'the other page to see the run');
  store.stop();
  const types: string[] = [];
  for await (const event of run) types.push(event.data.type);
  expect(types.at(-1)).toBe('agent_completed');
  await until(() => store.view().messages.at(-1)?.status === 'cancelled', 'the message to be marked');
  unsubscribe();
});

test('a token that ends is replaced while the transport stays', async () => {
  await using gateway = await startGateway();
  await using wire = await wireTo(gateway.wsUrl);
  const reasons: string[] = [];
  await using client = createSpillway({
    url: wire.url,
    getToken: ({ reason }) => {
      reasons.push(reason);
      return gateway.token('ada', { livesMs: reason === 'connect' ? 3_000 : 3_600_000 });
    },
  });
  await client.connect();
  await until(() => reasons.length === 2, 'the client to be asked for a new token');
  expect(reasons).toEqual(['connect', 'expiring']);
  expect(wire.connections).toBe(1);
});

test('without a credential to be had the person is asked to sign in', async () => {
  await using gateway = await startGateway();
  await using client = createSpillway({
    url: gateway.wsUrl,
    getToken: ({ reason }) => {
      if (reason === 'rejected') throw new Error('signed out');
      return gateway.token('ada', { livesMs: -1_000 });
    },
  });
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  await expect(client.connect()).rejects.toMatchObject({ code: 'SPILLWAY_REFUSED' });
  expect(client.state).toMatchObject({ name: 'failed', info: { code: 4010, text: 'Please sign in again.' } });
  expect(errors).toHaveLength(1);
});
