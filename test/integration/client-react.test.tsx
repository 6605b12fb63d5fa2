/** The hooks, in a real browser and on a server. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { renderToString } from 'react-dom/server';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSpillway } from '../../src/client/index.ts';
import { SpillwayProvider, SpillwayStatus, useConnection, useThread } from '../../src/integrations/react.tsx';
import { launchBrowser, openPage } from '../support/browser.ts';
import { startGateway } from '../support/gateway.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { need, skipWithout } from '../support/tools.ts';

const chromium = need('chromium');

const PAGE = `
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createSpillway } from '${fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))}';
import { SpillwayProvider, SpillwayStatus, useConnection, useThread } from '${fileURLToPath(new URL('../../src/integrations/react.tsx', import.meta.url))}';

const client = createSpillway({ url: '/v1/ws', getToken: () => globalThis.token(), parkAfterHiddenMs: false });
client.on('error', (error) => console.error(String(error)));
globalThis.client = client;

function Thread() {
  const { messages, steps, status, send, stop } = useThread('t');
  const { state } = useConnection();
  Object.assign(globalThis, { send, stop });
  return (
    <main>
      <p id="state">{state.name}</p>
      <p id="status">{status}</p>
      <p id="steps">{steps.map((s) => s.kind + ' ' + (s.kind === 'tool' ? s.state : s.isActive)).join(', ')}</p>
      <pre id="text">{messages.map((m) => m.role + ' ' + m.status + ': ' + m.parts.map((p) => p.text ?? '').join('')).join('\\n')}</pre>
    </main>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <SpillwayProvider client={client}>
      <SpillwayStatus />
      <Thread />
    </SpillwayProvider>
  </StrictMode>,
);
`;

test('on a server the hooks render a page that is not connected, and dial nothing', () => {
  const client = createSpillway({ url: '/v1/ws' });
  function Probe() {
    const { state, showReconnecting } = useConnection();
    const { messages, status, isLoaded } = useThread('t');
    return <p>{JSON.stringify({ state: state.name, showReconnecting, messages: messages.length, status, isLoaded })}</p>;
  }
  const html = renderToString(
    <SpillwayProvider client={client}>
      <SpillwayStatus className="bar" />
      <Probe />
    </SpillwayProvider>,
  );
  expect(html.replaceAll('&quot;', '"')).toBe(
    '<div class="bar" role="status"></div><p>{"state":"idle","showReconnecting":false,"messages":0,"status":"ready","isLoaded":false}</p>',
  );
  expect(client.state.name).toBe('idle');
});

describe('in Chromium', () => {
  skipWithout(chromium);
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    if (chromium.path === null) return;
    browser = await launchBrowser(chromium.path);
    // Beside the sources, where the page's imports find React.
    folder = await mkdtemp(fileURLToPath(new URL('../../.cache-client-react-', import.meta.url)));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>t</title><div id="root"></div><script type="module" src="./page.jsx"></script>');
    await writeFile(join(folder, 'page.jsx'), PAGE);
    await build({ configFile: false, logLevel: 'error', root: folder, oxc: { jsx: { runtime: 'automatic' } }, build: { outDir: join(folder, 'built') } });
  });

  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  test('StrictMode opens one socket; an answer is whole over a reload and an offline time in its middle', async () => {
    const agent = new ScriptedAgent();
    await using gateway = await startGateway({ agent, chatPages: join(folder, 'built') });
    await using watched = await openPage(browser);
    const { page } = watched;
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.exposeFunction('token', () => gateway.token('ada'));
    const shows = (id: string, text: string) => page.waitForFunction(([i, t]) => document.getElementById(i as string)?.textContent === t, [id, text]);
    await page.goto(gateway.url);
    await shows('state', 'live');
    expect(sockets).toHaveLength(1);

    await page.evaluate(() => (globalThis as unknown as { send(text: string): void }).send('go'));
    const run = await agent.nextRun();
    run.start().say({ type: 'agent_thinking', reasoning: 'Hm.' }).say({ type: 'tool_executing', tool_name: 'search', execution_id: 'x1' });
    await shows('steps', 'thinking false, tool running');
    run.say({ type: 'tool_completed', tool_name: 'search', execution_id: 'x1', success: true }).text('one ', 'two ');
    await shows('text', 'user complete: go\nassistant streaming: Hm.one two ');
    await shows('status', 'running');

    const before = await page.evaluate(() => (globalThis as unknown as { client: { state: { manager: string } } }).client.state.manager);
    await page.reload();
    await shows('text', 'user complete: go\nassistant streaming: Hm.one two ');
    await shows('state', 'live');
    expect(await page.evaluate(() => (globalThis as unknown as { client: { state: object } }).client.state)).toMatchObject({
      manager: before,
      resume: 'attached',
    });
    run.text('three ');
    await shows('text', 'user complete: go\nassistant streaming: Hm.one two three ');

    await page.context().setOffline(true);
    run.text('four ');
    await page.context().setOffline(false);
    run.text('five ').complete();
    await shows('text', 'user complete: go\nassistant complete: Hm.one two three four five ');
    await shows('status', 'ready');
    await shows('steps', 'thinking false, tool done');
    // Chromium reports the thread that nobody had written to.
    expect(watched.complaints.filter((c) => !c.includes('404'))).toEqual([]);
  });

  test('a duplicated tab gets a manager of its own, and a closed one frees its seat when the client is closed', async () => {
    const agent = new ScriptedAgent();
    await using gateway = await startGateway({ agent, chatPages: join(folder, 'built') });
    await using watched = await openPage(browser);
    const { page } = watched;
    await page.exposeFunction('token', () => gateway.token('ada'));
    await page.goto(gateway.url);
    const live = () => document.getElementById('state')?.textContent === 'live';
    await page.waitForFunction(live);
    // A lock granted while the page stands still in `open()` is refused again by Chromium: no person is as quick.
    await page.waitForFunction(async () => ((await navigator.locks.query()).held ?? []).length === 1);
    // `window.open` copies the session storage, as duplicating a tab does.
    const [copy] = await Promise.all([
      page.context().waitForEvent('page'),
      page.evaluate(() => {
        open(location.href);
      }),
    ]);
    await copy.exposeFunction('token', () => gateway.token('ada'));
    await copy.reload();
    await copy.waitForFunction(live);
    const manager = () => (globalThis as unknown as { client: { state: { manager: string } } }).client.state.manager;
    expect(await copy.evaluate(manager)).not.toBe(await page.evaluate(manager));
    expect(await page.evaluate(() => document.getElementById('state')?.textContent)).toBe('live');
    await copy.evaluate(() => (globalThis as unknown as { client: { close(): Promise<void> } }).client.close());
    const response = await gateway.request('GET', '/v1/me/sessions', { user: 'ada' });
    expect(((await response.json()) as { sessions: unknown[] }).sessions).toHaveLength(1);
  });
});
