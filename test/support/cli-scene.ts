/** A gateway as `spillway dev` runs it, with one tab that works and some that are frozen: what operators' commands are tried on. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { createAdminClient } from '../../src/admin/client.ts';
import { type Finished, runCli, startCli, temporaryFolder } from './cli.ts';
import { WireClient } from './wire-client.ts';

/** Has one tab that works and `FROZEN` that do not. */
export const USER = 'ada';
export const FROZEN = 4;
/** Has frozen ones alone. */
export const OTHER = 'ben';
export const OTHERS_FROZEN = 2;
/** Has one frozen tab. */
export const THIRD = 'cleo';
export const ALL_FROZEN: number = FROZEN + OTHERS_FROZEN + 1;

export interface CliScene extends AsyncDisposable {
  /** Its working directory; `./.spillway` holds the key. */
  readonly cwd: string;
  /** `http://127.0.0.1:…` of the operators' port. */
  readonly url: string;
  readonly publicUrl: string;
  /** The only tab of `THIRD`. */
  thirdTab: WireClient | null;
  readonly admin: ReturnType<typeof createAdminClient>;
  /** `--url …` for the commands. */
  readonly at: readonly string[];
  /** Runs a command on this gateway, in a pipe. */
  run(...args: readonly string[]): Promise<Finished>;
  /** The `--json` of a command that must succeed, checked against the answer of an operation such as `get /users/{id}`. */
  json(operation: string, ...args: readonly string[]): Promise<unknown>;
  /** A tab in the conversation `t1` of a user: one that works, or one whose page is stuck while its machine answers pings. */
  openTab(user: string, isFrozen: boolean): Promise<WireClient>;
}

const WITHIN_MS = 15_000;

export async function startCliScene(): Promise<CliScene> {
  const folder = temporaryFolder();
  const dev = startCli(['dev', '--no-open', '--port', '0', '--timing', 'fast', '--cleanup.proactive', 'false', '--logging.format', 'json'], {
    cwd: folder.path,
  });
  const [, publicPort = '', url = ''] = await dev.until(/ws:\/\/127\.0\.0\.1:(\d+)\/v1\/ws[\s\S]*Admin +(http:\S+)\/admin\/api\/v1/);
  const key = readFileSync(join(folder.path, '.spillway', 'admin-key'), 'utf8').trim();
  const admin = createAdminClient({ url, key });
  const tokenOf = async (user: string): Promise<string> => (await runCli(['token', 'create', '--user', user], { cwd: folder.path })).stdout.trim();
  const tokens = new Map([
    [USER, await tokenOf(USER)],
    [OTHER, await tokenOf(OTHER)],
    [THIRD, await tokenOf(THIRD)],
  ]);
  const tabs: WireClient[] = [];
  const openTab: CliScene['openTab'] = async (user, isFrozen) => {
    const tab = await WireClient.open(`ws://127.0.0.1:${publicPort}/v1/ws`);
    tabs.push(tab);
    if (!isFrozen) tab.behave();
    const client = { name: 'tab', version: '1', label: isFrozen ? 'Old phone' : 'Work laptop' };
    tab.sendFrame({ type: 'hello', v: 1, token: tokens.get(user), client, intent: 'user', visibility: 'visible' });
    await tab.next('ready');
    tab.sendFrame({ type: 'subscribe', sub: 1, thread: 't1', from: 'now' });
    await tab.next('subscribed');
    return tab;
  };
  const at = ['--url', url];
  const run: CliScene['run'] = (...args) => runCli([...args, ...at], { cwd: folder.path });
  const checks = await answersOf(admin.openApi());
  const scene: CliScene = {
    cwd: folder.path,
    url,
    thirdTab: null,
    publicUrl: `http://127.0.0.1:${publicPort}`,
    admin,
    at,
    run,
    openTab,
    async json(operation, ...args) {
      const { code, stdout, stderr } = await run(...args, '--json');
      expect(code, stderr).toBe(0);
      const value: unknown = JSON.parse(stdout);
      const check = checks.get(operation);
      if (check === undefined) throw new Error(`Expected ${operation} in openapi.json, which has ${[...checks.keys()].join(', ')}`);
      expect(check(value), `${args.join(' ')}: ${JSON.stringify(check.errors)}`).toBe(true);
      return value;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(tabs.map((tab) => tab[Symbol.asyncDispose]()));
      await dev[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
  try {
    const first = await openTab(USER, false);
    for (let i = 0; i < FROZEN; i++) await openTab(USER, true);
    for (let i = 0; i < OTHERS_FROZEN; i++) await openTab(OTHER, true);
    scene.thirdTab = await openTab(THIRD, true);
    first.sendFrame({ type: 'send', id: 'm1', thread: 't1', data: { parts: [{ type: 'text', text: 'How does eviction work?' }] } });
    await untilZombies(admin);
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
  return scene;
}

/** All frozen tabs are found, and the last golden path has been walked. */
async function untilZombies(admin: CliScene['admin']): Promise<void> {
  const until = Date.now() + WITHIN_MS;
  for (;;) {
    const { managers } = await admin.managers({ verdict: 'zombie' });
    if (managers.length === ALL_FROZEN) return;
    if (Date.now() > until) throw new Error(`Expected ${ALL_FROZEN} zombies within ${WITHIN_MS} ms, got ${managers.length}.`);
    await delay(50);
  }
}

/** What each operation of the document answers when it succeeds, as a check. */
async function answersOf(document: Promise<unknown>): Promise<Map<string, ValidateFunction>> {
  const openApi = (await document) as {
    readonly paths: Record<string, Record<string, { responses?: Record<string, { content?: Record<string, { schema?: object }> }> }>>;
  };
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(openApi, 'api');
  const pointer = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');
  const checks = new Map<string, ValidateFunction>();
  for (const [path, methods] of Object.entries(openApi.paths)) {
    for (const [method, { responses = {} }] of Object.entries(methods)) {
      const status = Object.keys(responses).find((one) => /^20[012]$/.test(one));
      if (status === undefined || responses[status]?.content?.['application/json']?.schema === undefined) continue;
      const name = `${method} ${path.replace('/admin/api/v1', '')}`;
      checks.set(name, ajv.compile({ $ref: `api#/paths/${encodeURIComponent(pointer(path))}/${method}/responses/${status}/content/application~1json/schema` }));
    }
  }
  return checks;
}
