// A gateway that people log in to, in a process of its own: the demo accounts, the embedded agent, a store file. Its set-up is the first
// argument; it says where it listens and answers questions over IPC.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { embeddedAgent } from '../../src/agents/embedded/embedded-agent.ts';
import { createAccounts } from '../../src/auth/accounts.ts';
import { ensureUsersFile } from '../../src/auth/users-file.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import type { LoginGatewayConfig, LoginGatewayStatus } from './login-gateway.ts';

const config = JSON.parse(process.argv[2] ?? '{}') as LoginGatewayConfig;
process.once('disconnect', () => process.exit(0));

const usersFile = join(config.folder, 'users.json');
await ensureUsersFile(usersFile);
const store = await sqliteStore({ file: join(config.folder, 'store.sqlite') });
const signingKey = new Uint8Array(32).fill(7);
const accounts = createAccounts({
  usersFile,
  signingKey,
  store: store.credentials,
  tokenTtlMs: config.tokenTtlMs,
  refreshTtlMs: 86_400_000,
  loginsPerMinute: 10,
});
const troubles: string[] = [];
const gateway = createGateway({
  timing: config.timing,
  ...config.options,
  store,
  signingKey,
  accounts,
  authenticate: accounts.authenticator,
  agent: embeddedAgent({ pace: config.pace }),
  telemetry: {
    record: ({ severity, event, message }) => {
      if (severity === 'ERROR' || severity === 'CRITICAL') troubles.push(`${event}: ${message}`);
    },
  },
});

async function status(user: UserId): Promise<LoginGatewayStatus> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { used, effective, sockets } = await gateway.factory.limits(user, 'free');
  const { heapUsed, external } = process.memoryUsage();
  return { seats: used, effective, sockets, heldBytes: heapUsed + external, differences: (await gateway.factory.checkConsistency()).differences, troubles };
}

process.on('message', ({ id, user }: { readonly id: number; readonly user: string }) => {
  status(user as UserId).then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, failed: String(error) }),
  );
});
const server = createServer(gateway.handler);
gateway.attach(server, { ownUpgrades: true });
await gateway.recovered;
server.listen(config.port, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
