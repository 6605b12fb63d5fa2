// One node of a cluster under test: what an application would write with the public API, and nothing else. Its agent says numbered events.
// Its set-up is the first argument; it says over IPC where it listens. Runs a built package in a folder of its own, so that what is being
// built meanwhile changes nothing of it.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Store } from '../../src/ports/store.ts';
import { numberedAgent } from '../support/lossless/numbered-agent.ts';
import { nextVersion } from './next-version.ts';
import type { NodeConfig, NodeSaid } from './node-messages.ts';

const config = JSON.parse(process.argv[2] ?? '{}') as NodeConfig;
const key = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
// Whoever started it is gone.
process.once('disconnect', () => process.exit(0));

const built = async <T>(path: string): Promise<T> => (await import(join(config.build, 'dist', path))) as T;
const { createGateway, jwtAuthenticator, memoryStore } = await built<typeof import('../../src/index.ts')>('index.js');

async function openStore(): Promise<Store> {
  if (config.store === 'memory') return memoryStore();
  if (config.store.startsWith('sqlite:')) {
    const { sqliteStore } = await built<typeof import('../../src/stores/sqlite/store.ts')>('stores/sqlite/store.js');
    return sqliteStore({ file: config.store.slice('sqlite:'.length) });
  }
  const { redisStore } = await built<typeof import('../../src/stores/redis/store.ts')>('stores/redis/store.js');
  return redisStore({ url: config.store });
}

const gateway = createGateway({
  ...config.options,
  timing: config.timing,
  authenticate: jwtAuthenticator({ secret: key(config.secret), clockToleranceMs: 0 }),
  signingKey: key(config.signingKey),
  adminKey: config.adminKey,
  node: config.name,
  agent: numberedAgent(),
  store: config.isNext ? nextVersion(await openStore()) : await openStore(),
});
const clients = createServer(gateway.handler);
gateway.attach(clients, { ownUpgrades: true });
const operators = createServer(gateway.admin.handler);
process.once('SIGTERM', () => {
  void gateway.drain({ withinMs: config.drainMs }).then(() => process.exit(0));
});

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', 4_096, () => resolve((server.address() as AddressInfo).port));
  });
}

await gateway.recovered;
const said: NodeSaid = { is: 'listening', port: await listen(clients, config.port), adminPort: await listen(operators, config.adminPort) };
if (process.connected) process.send?.(said);
