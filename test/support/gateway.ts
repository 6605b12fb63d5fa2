import { createServer } from 'node:http';
import { SignJWT } from 'jose';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import { listenAnywhere } from './ports.ts';
import { echoAgent } from './scripted-agent.ts';
import { WireClient, type WireFrame, type WireOptions } from './wire-client.ts';

/** Of every node of a test. */
const SIGNING_KEY = new TextEncoder().encode('a signing key of the tests, 32 b.').slice(0, 32);
const SECRET = new TextEncoder().encode('a secret of the tests, 32 bytes long');

export interface TokenOptions {
  readonly tier?: string;
  readonly name?: string;
  /** Default: an hour. */
  readonly livesMs?: number;
  /** Another key than the gateway's: a forged token. */
  readonly secret?: Uint8Array;
}

/** A JWT as the tests' issuer makes them. */
export function tokenFor(user: string, o: TokenOptions = {}): Promise<string> {
  const claims = { ...(o.tier === undefined ? {} : { tier: o.tier }), ...(o.name === undefined ? {} : { name: o.name }) };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime(new Date(Date.now() + (o.livesMs ?? 3_600_000)))
    .sign(o.secret ?? SECRET);
}

export interface Seated {
  readonly client: WireClient;
  readonly welcome: WireFrame;
  readonly ready: WireFrame;
}

/** A real gateway on a port of its own, and what a test needs to talk to it. */
export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  /** `http://127.0.0.1:…`, without a slash at the end. */
  readonly url: string;
  /** `ws://127.0.0.1:…/v1/ws`. */
  readonly wsUrl: string;
  token(user: string, o?: TokenOptions): Promise<string>;
  /** A bare connection: nothing was said yet. */
  open(o?: WireOptions & { readonly query?: string }): Promise<WireClient>;
  /** A connection that has said `hello` and read `welcome` and `ready`. */
  seat(user: string, hello?: object): Promise<Seated>;
  /** An HTTP request in a user's name; the body is JSON. */
  request(
    method: string,
    path: string,
    o?: { readonly user?: string; readonly token?: string; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response>;
}

export const HELLO = { type: 'hello', v: 1, client: { name: 'test', version: '1.0' }, intent: 'user', visibility: 'visible' } as const;

/** Starts a gateway in this process. Defaults: memory store, an agent that echoes, tokens of the tests' issuer. */
export async function startGateway(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const gateway = createGateway({
    ...(options.store?.cluster == null ? {} : { signingKey: SIGNING_KEY }),
    authenticate: jwtAuthenticator({ secret: SECRET, clockToleranceMs: 0 }),
    agent: echoAgent,
    node: 'gw-1',
    ...options,
  });
  const server = createServer(gateway.handler);
  const detach = gateway.attach(server, { ownUpgrades: true });
  const port = await listenAnywhere(server);
  const url = `http://127.0.0.1:${port}`;
  const wsUrl = `ws://127.0.0.1:${port}${options.prefix ?? ''}/v1/ws`;
  const clients: WireClient[] = [];

  const open: TestGateway['open'] = async (o = {}) => {
    const client = await WireClient.open(`${wsUrl}${o.query ?? ''}`, o);
    clients.push(client);
    return client;
  };

  return {
    gateway,
    url,
    wsUrl,
    token: tokenFor,
    open,
    async seat(user, hello = {}) {
      const client = await open();
      client.sendFrame({ ...HELLO, token: await tokenFor(user), ...hello });
      const welcome = await client.next('welcome');
      return { client, welcome, ready: await client.next('ready') };
    },
    async request(method, path, o = {}) {
      const token = o.token ?? (o.user === undefined ? undefined : await tokenFor(o.user));
      return fetch(`${url}${options.prefix ?? ''}${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...o.headers,
        },
        ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
      await gateway[Symbol.asyncDispose]();
      detach();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
