import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listenAnywhere } from './ports.ts';
import { need } from './tools.ts';

export interface ProxyOptions {
  /** Where to: `http://127.0.0.1:8787`. Several: whichever has the fewest connections, the next one if it cannot be reached. */
  readonly upstream: string | readonly string[];
  /** Address that it listens on; default 127.0.0.1. */
  readonly address?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Seconds of silence after which it ends a WebSocket; default 60 (nginx), 3,600 (HAProxy), as their makers recommend. */
  readonly readTimeoutS?: number;
}

/** A real reverse proxy in front of a gateway, set up for WebSockets as its makers recommend. */
export interface Proxy extends AsyncDisposable {
  /** `http://127.0.0.1:…`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Its processes; a connection belongs to the last one. Empty when it has ended. */
  pids(): readonly number[];
}

const START_WITHIN_MS = 5_000;
const STOP_WITHIN_MS = 2_000;
const LOOK_EVERY_MS = 20;
/** Somebody else may take a free port before the proxy does. */
const TRIES = 5;

/** nginx with `proxy_read_timeout` of 60 s. @throws where nginx is missing. */
export const startNginx = (o: ProxyOptions): Promise<Proxy> =>
  startProxy('nginx', o, nginxConfig, (file, folder) => ['-p', folder, '-e', 'stderr', '-c', file]);

/** HAProxy with `timeout tunnel` of one hour. @throws where HAProxy is missing. */
export const startHaproxy = (o: ProxyOptions): Promise<Proxy> => startProxy('haproxy', o, haproxyConfig, (file) => ['-db', '-f', file]);

const serversOf = (upstream: ProxyOptions['upstream']): readonly string[] => [upstream].flat().map((url) => new URL(url).host);

interface Place {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
}

/** https://nginx.org/en/docs/http/websocket.html. `max_fails=0`: nginx lifts its verdict on a server that had failed when a request to it
 *  ends, and a WebSocket does not end, so that a node that was started again would get one connection each `fail_timeout`. */
const nginxConfig = ({ upstream, readTimeoutS = 60 }: ProxyOptions, { folder, address, port }: Place): string => `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  upstream gateways { least_conn; ${serversOf(upstream)
    .map((server) => `server ${server} max_fails=0;`)
    .join(' ')} }
  server {
    listen ${address}:${port};
    location / {
      proxy_pass http://gateways;
      proxy_next_upstream error timeout http_503;
      proxy_connect_timeout 2s;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout ${readTimeoutS}s;
    }
  }
}
`;

/** https://www.haproxy.com/documentation/haproxy-configuration-tutorials/protocol-support/websocket/ */
const haproxyConfig = ({ upstream, readTimeoutS = 3_600 }: ProxyOptions, { address, port }: Place): string => `
global
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 25s
  timeout server 25s
  timeout tunnel ${readTimeoutS}s
  balance leastconn
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response 503
frontend people
  bind ${address}:${port}
  default_backend gateway
backend gateway
${serversOf(upstream)
  .map((server, i) => `  server gateway-${i + 1} ${server}`)
  .join('\n')}
`;

async function startProxy(
  name: 'nginx' | 'haproxy',
  o: ProxyOptions,
  config: (o: ProxyOptions, place: Place) => string,
  args: (file: string, folder: string) => readonly string[],
): Promise<Proxy> {
  const { path, missing } = need(name);
  if (path === null) throw new Error(missing);
  const address = o.address ?? '127.0.0.1';
  for (let left = TRIES; ; left--) {
    const folder = mkdtempSync(join(tmpdir(), `spillway-${name}-`));
    const port = o.port ?? (await freePort());
    const file = join(folder, 'config');
    writeFileSync(file, config(o, { folder, address, port }));
    const log = openSync(join(folder, 'log'), 'w');
    const [program = path, ...rest] = [...endsWithUs(), path, ...args(file, folder)];
    const child = spawn(program, rest, { stdio: ['ignore', log, log] });
    closeSync(log);
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const pids = (): readonly number[] => (hasEnded() ? [] : [child.pid ?? 0, ...childrenOf(child.pid ?? 0)]);
    const stop = async (): Promise<void> => {
      await end(child, pids());
      rmSync(folder, { recursive: true, force: true });
    };
    if (await answers(child, address, port)) return { url: `http://${address}:${port}`, port, pids, [Symbol.asyncDispose]: stop };
    const said = readFileSync(join(folder, 'log'), 'utf8');
    await stop();
    if (o.port !== undefined || left === 1) throw new Error(`Expected ${name} to listen on ${address}:${port} within ${START_WITHIN_MS} ms. It said:\n${said}`);
  }
}

/** What makes a proxy end with this process, however that ends, where the system has it. */
function endsWithUs(): readonly string[] {
  const { path } = need('setpriv');
  return path === null ? [] : [path, '--pdeathsig', 'TERM', '--'];
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAnywhere(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(child: ChildProcess, address: string, port: number): Promise<boolean> {
  const deadline = performance.now() + START_WITHIN_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    if (await accepts(address, port)) return true;
    await delay(LOOK_EVERY_MS);
  }
  return false;
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'ascii').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    // It has ended, and its workers with it.
    return [];
  }
}

/** A master that is asked to end takes its workers along; what is left after a while is killed. */
async function end(child: ChildProcess, pids: readonly number[]): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const isOver = await Promise.race([ended.then(() => true), delay(STOP_WITHIN_MS, false, { ref: false })]);
  if (isOver) return;
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  await ended;
}
