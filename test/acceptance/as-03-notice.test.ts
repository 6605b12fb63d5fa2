import { afterEach, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/peers/kernel.ts';
import { gated } from '../support/peers/load-gate.ts';
import { ProvableClient } from '../support/peers/provable-client.ts';
import { connect, USER } from '../support/peers/scene.ts';
import { TooLate } from '../support/peers/too-late.ts';

const TOLD_WITHIN_MS = 100;

let cleanUp = new AsyncDisposableStack();
afterEach(async () => {
  await cleanUp.disposeAsync();
  cleanUp = new AsyncDisposableStack();
});

test(
  'AS-03 everybody hears of the burst at once, with the seats that are used now',
  gated(async () => {
    const gw = cleanUp.use(await startGateway({ timing: 'fast' }));
    const token = await gw.token(USER);
    const clients: ProvableClient[] = [];
    for (let i = 0; i < 20; i++) {
      const client = await ProvableClient.open(gw.wsUrl, { token, thread: `seated-${i}` });
      cleanUp.use(client.wire);
      clients.push(client);
    }
    const all = [...clients, ...(await connect(cleanUp, { gw }, 5, 50))];
    const hasHeard = (client: ProvableClient): boolean => client.wire.frames.some((f) => f.type === 'notice' && f.kind === 'burst' && f.data.used === 25);
    await until('everybody to hear of the burst', () => all.every(hasHeard), TOLD_WITHIN_MS).catch((error: unknown) => {
      throw new TooLate(`${all.filter(hasHeard).length} of 25 had heard that 25 seats are used.`, TOLD_WITHIN_MS, { cause: error });
    });
    expect(all.every((client) => client.bye === null)).toBe(true);
  }),
);
