/** A person's chat through the reverse proxies that stand in front of most servers, each a real program set up as its maker says. */

import { readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createSpillway } from '../../src/client/index.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { startGateway } from '../support/gateway.ts';
import { portsOfProcess } from '../support/peers/kernel.ts';
import { startHaproxy, startNginx } from '../support/proxies.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { need, skipWithout } from '../support/tools.ts';
import { until } from './client-peer.ts';

describe.each([
  ['nginx', startNginx],
  ['haproxy', startHaproxy],
] as const)('behind %s', (name, start) => {
  const tool = need(name);
  skipWithout(tool);

  test('every word of an answer is there before the next is said', async () => {
    const agent = new ScriptedAgent();
    await using gateway = await startGateway({ agent });
    await using proxy = await start({ upstream: gateway.url });
    const proxied = proxy.pids().at(-1) ?? 0;
    expect(readlinkSync(`/proc/${proxied}/exe`)).toContain(name);
    const gatewayPort = Number(new URL(gateway.url).port);
    {
      await using client = createSpillway({ url: `${proxy.url}/v1/ws`, getToken: () => gateway.token('ada'), label: 'Laptop' });
      const words: string[] = [];
      const sent = client.thread('t1').send('why is the sky blue');
      const reading = (async () => {
        for await (const { data } of sent) if (data.type === 'text_delta') words.push(data.text);
      })();
      const run = await agent.nextRun();
      run.start();
      for (let i = 1; i <= 20; i++) {
        run.text(`${i} `);
        await until(() => words.length === i, `word ${i}`);
      }
      expect(proxy.pids().flatMap((pid) => [...portsOfProcess(pid, gatewayPort)]).length, 'connections of the proxy to the gateway').toBeGreaterThan(0);
      run.complete();
      await reading;
      expect(words.join('')).toBe(Array.from({ length: 20 }, (_, i) => `${i + 1} `).join(''));
      expect(await client.sessions.list()).toMatchObject([{ label: 'Laptop', connected: true }]);
    }
    await until(() => gateway.gateway.factory.list('ada' as UserId).length === 0, 'no manager of somebody who left');
  });

  test('a page of the gateway comes whole', async () => {
    await using gateway = await startGateway();
    await using proxy = await start({ upstream: gateway.url });
    const [direct, proxied] = await Promise.all([fetch(`${gateway.url}/v1/config`), fetch(`${proxy.url}/v1/config`)]);
    expect(await proxied.json()).toEqual(await direct.json());
  });
});
