/** docs/cluster.md as a stranger would type it: every line of its terminals is read from the page and typed as it stands, in a network of
 *  its own, where nobody else has its ports. Then somebody asks something long, and the gateway with their session is killed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createSpillway } from '../../src/client/index.ts';
import { isTerminal } from '../../src/protocol/agent-events.ts';
import { need } from '../support/tools.ts';
import { type Check, ROOT } from './check.ts';

export type Balancer = 'haproxy' | 'nginx';

const THERE_WITHIN_MS = 60_000;
const BACK_WITHIN_MS = 15_000;
/** A lost answer ends within 15 s. */
const ENDED_WITHIN_MS = 40_000;
const GONE_WITHIN_MS = 20_000;
const PUBLIC = 'http://127.0.0.1:8780';
const PORTS: Readonly<Record<string, number>> = { redis: 6379, 'gw-1': 8781, 'gw-2': 8791, 'gw-3': 8801, balancer: 8780, 'balancer-2': 8780 };

/** The lines of each terminal of the page, in order. */
export function terminalsOf(page: string): ReadonlyMap<string, readonly string[]> {
  const terminals = new Map<string, string[]>();
  for (const [, name = '', text = ''] of page.matchAll(/^```sh terminal=(\S+)\n([\s\S]*?)^```/gm))
    terminals.set(name, [...(terminals.get(name) ?? []), ...text.split('\n').filter((line) => line.trim() !== '')]);
  return terminals;
}

export const clusterPageCheck = (balancer: Balancer): Check => ({
  name: `docs/cluster.md as typed, behind ${balancer}`,
  needs: ['redis-server', balancer, 'unshare', 'ip', 'bash'],
  run() {
    const program = fileURLToPath(import.meta.url);
    const inside = `ip link set lo up && exec "$0" "$1" "$2"`;
    const { path } = need('unshare');
    const { status, stdout, stderr, error } = spawnSync(path ?? 'unshare', ['-n', '--', 'bash', '-c', inside, process.execPath, program, balancer], {
      cwd: ROOT,
      encoding: 'utf8',
      timeout: 180_000,
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`${stdout}\n${stderr}`.trim().slice(-6_000));
    return stdout.trim();
  },
});

/** A terminal in which one line was typed. */
class Terminal {
  readonly #child: ChildProcess;
  #said = '';

  constructor(line: string) {
    // As in a shell of somebody who has this clone and nothing else of ours in the environment.
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SPILLWAY_') && !['PORT', 'REDIS_URL'].includes(name)));
    const PATH = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`;
    this.#child = spawn('bash', ['-c', line], {
      cwd: ROOT,
      detached: true,
      env: { ...clean, PATH, CI: '1', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#said = `${this.#said}${chunk.toString()}`.slice(-4_000);
      });
  }

  get said(): string {
    return this.#said;
  }

  /** A key that is a signal to everything that runs here: Ctrl-\ is SIGQUIT. */
  press(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // Nothing runs here any more.
    }
  }
}

/** What a line printed. */
function typed(line: string): string {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SPILLWAY_')));
  const { stdout, stderr, status } = spawnSync('bash', ['-c', line], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...clean, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`, NO_COLOR: '1' },
  });
  if (status !== 0) throw new Error(`${line} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

async function until<T>(what: string, withinMs: number, look: () => Promise<T | null> | T | null): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await Promise.resolve(look()).catch(() => null);
    if (found !== null) return found;
    if (performance.now() > deadline) throw new Error(`Expected ${what} within ${withinMs} ms.`);
    await delay(100);
  }
}

const listens = (port: number): Promise<true | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(null));
  });

async function perform(balancer: Balancer): Promise<string> {
  const terminals = terminalsOf(readFileSync(join(ROOT, 'docs', 'cluster.md'), 'utf8'));
  const open = new Map<string, Terminal>();
  const front = balancer === 'haproxy' ? 'balancer' : 'balancer-2';
  const start = async (name: string): Promise<void> => {
    const [line] = terminals.get(name) ?? [];
    if (line === undefined) throw new Error(`Expected a terminal ${name} in docs/cluster.md.`);
    open.set(name, new Terminal(line));
    await until(`${name} to listen on ${PORTS[name]}`, THERE_WITHIN_MS, () => listens(PORTS[name] as number)).catch((error: Error) => {
      throw new Error(`${error.message} It said:\n${open.get(name)?.said}`);
    });
  };
  try {
    await start('redis');
    await Promise.all(['gw-1', 'gw-2', 'gw-3'].map(start));
    for (const name of ['gw-1', 'gw-2', 'gw-3'])
      await until(`${name} to be ready`, THERE_WITHIN_MS, async () => ((await fetch(`http://127.0.0.1:${PORTS[name]}/readyz`)).ok ? true : null));
    await start(front);
    const [nodes = '', user = '', later = ''] = terminals.get('operator') ?? [];
    await until('three nodes', THERE_WITHIN_MS, () => (rows(typed(nodes)).length === 3 ? true : null));

    const getToken = async (): Promise<string> => {
      const login = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'ada', password: 'spillway' }) };
      return ((await (await fetch(`${PUBLIC}/v1/auth/login`, login)).json()) as { readonly accessToken: string }).accessToken;
    };
    const token = await until('a log-in through the balancer', BACK_WITHIN_MS, async () => (await getToken()) || null);
    let closes = 0;
    const client = createSpillway({
      url: `${PUBLIC}/v1/ws`,
      getToken: () => token,
      storage: 'none',
      retry: { maxDelayMs: 1_000 },
      debug: ({ type }) => {
        if (type === 'close') closes++;
      },
    });
    await client.connect();
    const thread = client.thread('t-1');
    let events = 0;
    let end = '';
    const answer = (async () => {
      for await (const { data } of thread.send('count to 300')) {
        events++;
        end = (data as { readonly type?: string }).type ?? '';
      }
    })();
    await until('some of the answer', BACK_WITHIN_MS, () => (events > 5 ? true : null));
    const holder = await until('the session among those of ada', BACK_WITHIN_MS, () => rows(typed(user))[0]?.at(-1) ?? null);
    const before = events;
    const killedAt = performance.now();
    open.get(holder)?.press('SIGQUIT');
    await until('the client to notice', BACK_WITHIN_MS, () => (closes > 0 ? true : null));
    await until('the client to be back', BACK_WITHIN_MS, () => (client.state.name === 'live' ? true : null));
    const backMs = Math.round(performance.now() - killedAt);
    await Promise.race([answer, delay(ENDED_WITHIN_MS, null, { ref: false })]);
    if (!isTerminal(end)) throw new Error(`Expected the answer to end within ${ENDED_WITHIN_MS} ms of the kill, its last event is ${end}.`);
    const survivor = holder === 'gw-2' ? nodes : later;
    const state = await until(
      `${holder} to be called expired`,
      GONE_WITHIN_MS,
      () => rows(typed(survivor)).find(([name, is]) => name === holder && is === 'expired')?.[1] ?? null,
    );
    let whole = '';
    for await (const { data } of thread.send('What is 6 * 7?')) whole = (data as { readonly type?: string }).type ?? '';
    if (whole !== 'agent_completed') throw new Error(`Expected the next question to be answered, its last event is ${whole}.`);
    await client.close();
    return `${holder} killed after ${before} events: back in ${backMs} ms, the answer ended ${end}, the next one whole, ${holder} ${state}`;
  } finally {
    for (const terminal of [...open.values()].reverse()) terminal.press('SIGKILL');
  }
}

const rows = (table: string): readonly (readonly string[])[] =>
  table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${await perform(process.argv[2] === 'nginx' ? 'nginx' : 'haproxy')}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
