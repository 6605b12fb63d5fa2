import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NodesFigures } from './rows.ts';
import { benchServer, count } from './server.ts';

const NODE = fileURLToPath(new URL('node.ts', import.meta.url));
const WINDOW_MS = 4_000;
const MOST_NODES = 3;
const WORKS = ['admissions', 'events', 'events in eights'] as const;

/** What one, two and three node processes do on one Redis, each as fast as it can: the calls of the store alone, without sockets, so that
 *  Redis is what is measured. */
export async function nodes(): Promise<readonly NodesFigures[]> {
  const figures: NodesFigures[] = [];
  for (const work of WORKS) for (let total = 1; total <= MOST_NODES; total++) figures.push(await atWork(work, total));
  return figures;
}

async function atWork(work: NodesFigures['work'], total: number): Promise<NodesFigures> {
  await using server = await benchServer();
  const children = Array.from({ length: total }, (_, i) => fork(NODE, [server.url, `gw-${i + 1}`, work]));
  try {
    await Promise.all(children.map((child) => said(child)));
    const going = Promise.all(children.map((child) => said(child)));
    for (const child of children) child.send('go');
    await going;
    const [before, started] = [count(server), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
    const redisCpuMs = count(server).cpuMs - before.cpuMs;
    const told = Promise.all(children.map((child) => said(child)));
    const elapsedMs = performance.now() - started;
    for (const child of children) child.send('stop');
    const results = (await told) as readonly { readonly done: number; readonly cpuMs: number }[];
    const done = results.reduce((sum, result) => sum + result.done, 0);
    const nodeCpuMs = results.reduce((sum, result) => sum + result.cpuMs, 0);
    return {
      work,
      nodes: total,
      perS: (1_000 * done) / elapsedMs,
      redisCpuUs: (1_000 * redisCpuMs) / done,
      nodeCpuUs: (1_000 * nodeCpuMs) / done,
      redisShare: redisCpuMs / elapsedMs,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

/** The next thing that a node says. */
async function said(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: ended.signal }).then(([message]: unknown[]) => message),
      once(child, 'exit', { signal: ended.signal }).then(([code]: unknown[]) => {
        throw new Error(`Expected the node to say something, but it ended with ${String(code)}.`);
      }),
    ]);
  } finally {
    ended.abort();
  }
}
