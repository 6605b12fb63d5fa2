import { createServer } from 'node:http';
import { expect } from 'vitest';
import type { z } from 'zod';
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts';
import { startGateway, type TestGateway } from './gateway.ts';
import { listenAnywhere } from './ports.ts';

export const ADMIN_KEY = 'a key of the tests'.replaceAll(' ', '-');

// biome-ignore lint/suspicious/noExplicitAny: a test reads fields of many answers and says itself what it expects.
export type Json = any;

/** A gateway with its admin API on a port of its own, as operators reach it. */
export interface AdminGateway extends AsyncDisposable {
  readonly gw: TestGateway;
  /** `http://127.0.0.1:…` of the operators' listener. */
  readonly url: string;
  /** Asks a path below `/admin/api/v1`, with the key unless the headers say otherwise. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** The JSON of a GET that must succeed. */
  get(path: string): Promise<Json>;
  /** The JSON of a POST that must succeed. */
  post(path: string, body?: unknown): Promise<Json>;
}

/** Checks that a value is as a schema describes it, with no field, however deep, that the schema does not name. */
export function expectShape(schema: z.ZodType, value: unknown): void {
  expect(schema.parse(value)).toEqual(value);
}

export async function startWithAdmin(options: Partial<GatewayOptions> = {}): Promise<AdminGateway> {
  const gw = await startGateway({ adminKey: ADMIN_KEY, ...options });
  const server = createServer(gw.gateway.admin.handler);
  gw.gateway.admin.attach(server, { ownUpgrades: true });
  const url = `http://127.0.0.1:${await listenAnywhere(server)}`;
  const ask: AdminGateway['ask'] = (method, path, body, headers = {}) =>
    fetch(`${url}${options.prefix ?? ''}/admin/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const good = async (asked: Promise<Response>): Promise<Json> => {
    const response = await asked;
    const text = await response.text();
    if (!response.ok) throw new Error(`Expected ${response.url} to succeed, got ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  return {
    gw,
    url,
    ask,
    get: (path) => good(ask('GET', path)),
    post: (path, body) => good(ask('POST', path, body)),
    async [Symbol.asyncDispose]() {
      await gw[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
