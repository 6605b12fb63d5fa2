/** A gateway as it is run, people who keep it busy, and a Prometheus that scrapes it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { createSpillway, type SpillwayClient } from '../../src/client/index.ts';
import { freePort, startCli } from '../support/cli.ts';
import { need } from '../support/tools.ts';
import { DEPLOY, scratch } from './check.ts';

const SECRET = 'a-secret-of-the-issuer-32-bytes-long';
const KEY = 'a-key-of-the-tests';
const SCRAPE_EVERY_MS = 500;

export interface Scene extends AsyncDisposable {
  /** What the gateway's `/metrics` says now. */
  metrics(): Promise<string>;
  /** The answer of Prometheus to a path of its API. */
  prometheus(path: string): Promise<unknown>;
}

const tokenFor = (user: string): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setSubject(user).setExpirationTime('1h').sign(new TextEncoder().encode(SECRET));

/** Resolves when people have done what there is to do and Prometheus has seen it. */
export async function openScene(): Promise<Scene> {
  await using parts = new AsyncDisposableStack();
  const gateway = parts.use(
    startCli(['serve', '--listen', '127.0.0.1:0', '--admin.listen', '127.0.0.1:0', '--data', 'memory', '--store', 'memory', '--logging.format', 'json'], {
      env: {
        SPILLWAY_AUTH_JWT_SECRET: SECRET,
        SPILLWAY_AUTH_ORIGINS: 'https://chat.example',
        SPILLWAY_ADMIN_TOKEN: KEY,
        SPILLWAY_TIMING: 'fast',
        SPILLWAY_LIMITS_PER_USER: '3',
        SPILLWAY_LIMITS_BURST_PER_USER: '4',
        SPILLWAY_QUEUE_WAIT_MS: '1000',
        SPILLWAY_GOLDEN_PATH_EVERY_MS: '1000',
        SPILLWAY_GOLDEN_PATH_TOKEN: await tokenFor('golden'),
      },
    }),
  );
  const [, url = '', admin = ''] = await gateway.until(/"url":"(http:[^"]+)","admin":"(http:[^"]+)"/);
  const metrics = async (): Promise<string> => (await fetch(`${admin}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })).text();
  const prometheus = parts.use(await startPrometheus(new URL(admin).host));
  await prometheus.seen('spillway_build_info');
  await beBusy(url);
  await prometheus.seen('sum(spillway_golden_path_runs_total{result="ok"}) > 1');
  await prometheus.seen('sum(spillway_admissions_total{outcome="after_queue"}) + sum(spillway_admissions_total{outcome="force"}) > 0');
  await prometheus.seen('sum(rate(spillway_admissions_total[1m])) > 0');
  const kept = parts.move();
  return { metrics, prometheus: prometheus.ask, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Sessions beyond the limit, questions, and one that goes without a word. */
async function beBusy(url: string): Promise<void> {
  const clients: SpillwayClient[] = [];
  const open = async (user: string): Promise<SpillwayClient> => {
    const client = createSpillway({ url: `${url}/v1/ws`, getToken: () => tokenFor(user), storage: 'none' });
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    for (let tab = 0; tab < 6; tab++) {
      const client = await open('ada');
      for await (const _ of client.thread(`t-${tab}`).send('What is 6 * 7?')) if (tab > 2) break;
    }
    const ben = await open('ben');
    for await (const _ of ben.thread('t').send('count to 20'));
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

interface Prometheus extends AsyncDisposable {
  ask(path: string): Promise<unknown>;
  /** Resolves when an expression has a result. */
  seen(expression: string): Promise<void>;
}

async function startPrometheus(target: string): Promise<Prometheus> {
  const { path, missing } = need('prometheus');
  if (path === null) throw new Error(missing);
  const folder = scratch();
  cpSync(join(DEPLOY, 'prometheus', 'spillway.rules.yaml'), join(folder.path, 'spillway.rules.yaml'));
  const seconds = `${SCRAPE_EVERY_MS}ms`;
  const config = {
    global: { scrape_interval: seconds, scrape_timeout: seconds, evaluation_interval: '1s' },
    rule_files: ['spillway.rules.yaml'],
    scrape_configs: [{ job_name: 'spillway', authorization: { credentials: KEY }, static_configs: [{ targets: [target] }] }],
  };
  // Prometheus reads JSON as the YAML that it is.
  writeFileSync(join(folder.path, 'prometheus.yml'), JSON.stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const child: ChildProcess = spawn(
    path,
    [`--config.file=${join(folder.path, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder.path, 'data')}`, `--web.listen-address=${address}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-4_000);
  });
  const ask = async (path: string): Promise<unknown> => (await fetch(`http://${address}/api/v1/${path}`)).json();
  return {
    ask,
    async seen(expression) {
      const deadline = performance.now() + 40_000;
      while (performance.now() < deadline) {
        const answer = (await ask(`query?query=${encodeURIComponent(expression)}`).catch(() => null)) as { data?: { result?: unknown[] } } | null;
        if ((answer?.data?.result?.length ?? 0) > 0) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new Error(`Expected Prometheus to see ${expression} within 40 s. It said:\n${said}`);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      folder[Symbol.dispose]();
    },
  };
}
