// A gateway in a process of its own, for tests that kill it. Prints its address as one JSON line.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway } from '../../src/gateway/gateway.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';

const [file, key] = process.argv.slice(2) as [string, string];
const gateway = createGateway({
  authenticate: (request) => ({ userId: request.headers.get('authorization')?.slice('Bearer '.length) ?? '' }),
  store: await sqliteStore({ file }),
  signingKey: new TextEncoder().encode(key),
  node: 'gw-child',
  agent: async function* ({ messages, signal }) {
    const part = messages.at(-1)?.parts[0];
    const count = Number(part?.type === 'text' ? part.text.match(/[0-9]+/)?.[0] : 10);
    yield { type: 'agent_started', agent_name: 'counter' };
    for (let i = 1; i <= count && !signal.aborted; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      yield { type: 'text_delta', text: `${i} ` };
    }
    yield { type: 'agent_completed', status: 'completed' };
  },
});
const server = createServer(gateway.handler);
gateway.attach(server, { ownUpgrades: true });
process.once('SIGTERM', () => {
  void gateway.drain({ withinMs: 20_000 }).then(() => process.exit(0));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
