// The gateway under test in a process of its own: what an application would write with the public API, and nothing else. Its set-up is
// the first argument; it says where it listens, and is told what to do, over IPC.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { numberedAgent } from '../support/lossless/numbered-agent.ts';
import type { AppCommand, AppConfig, AppSaid } from './gateway-messages.ts';

const config = JSON.parse(process.argv[2] ?? '{}') as AppConfig;
const say = (said: AppSaid): void => {
  // Whoever started it may be gone.
  if (process.connected) process.send?.(said);
};
process.once('disconnect', () => process.exit(0));

const gateway = createGateway({
  ...config.options,
  timing: config.timing,
  authenticate: jwtAuthenticator({ secret: new TextEncoder().encode(config.secret), clockToleranceMs: 0 }),
  signingKey: new TextEncoder().encode(config.signingKey),
  adminKey: config.adminKey,
  node: config.node,
  agent: numberedAgent({ file: config.attempted }),
  ...(config.file === null ? {} : { store: await sqliteStore({ file: config.file }) }),
  ...(config.redis === null ? {} : { store: await redisStore({ url: config.redis }) }),
});
// What a server in front of people sets: who has not said what it wants by then is closed, whatever it sends.
const headersTimeout = config.timing === 'fast' ? 1_000 : 10_000;
const clients = createServer({ headersTimeout, connectionsCheckingInterval: headersTimeout / 10 }, gateway.handler);
gateway.attach(clients, { ownUpgrades: true });
const operators = createServer(gateway.admin.handler);
process.once('SIGTERM', () => {
  void gateway.drain({ withinMs: config.drainMs }).then(() => process.exit(0));
});

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function obey(command: AppCommand): unknown {
  if (command.do === 'busy') busy(command.ms);
  if (command.do === 'memory') {
    globalThis.gc?.();
    return process.memoryUsage();
  }
  if (command.do === 'clocks') return { wall: Date.now(), monotonic: performance.now() };
  return null;
}

process.on('message', ({ id, command }: { readonly id: number; readonly command: AppCommand }) => say({ is: 'answer', id, value: obey(command) }));
await gateway.recovered;
say({ is: 'listening', port: await listen(clients, config.port, config.host), adminPort: await listen(operators, config.adminPort, '127.0.0.1') });
