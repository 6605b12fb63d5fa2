import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';

const root = new URL('../..', import.meta.url);
const SERVER = fileURLToPath(new URL('examples/bare-ws/server.mjs', root));
const WITHIN_MS = 15_000;

/** Somebody with nothing but a WebSocket: no SDK, no handshake of ours. */
interface RawClient {
  readonly socket: WebSocket;
  /** Text of the first event, or the code with which the socket was closed instead. */
  readonly first: Promise<string | number>;
}

function connect(port: number): RawClient {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?user=ada`);
  const first = new Promise<string | number>((resolve, reject) => {
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { type: string; data?: { text?: string } };
      if (frame.type === 'event') resolve(frame.data?.text ?? '');
    });
    socket.on('close', (code) => resolve(code));
    socket.on('error', reject);
  });
  return { socket, first };
}

class Output {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('Expected a child whose output can be read.');
    createInterface(child.stdout).on('line', (line) => this.lines.push(line));
    child.stderr?.on('data', (chunk: Buffer) => this.lines.push(String(chunk)));
  }

  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + WITHIN_MS;
    for (;;) {
      const at = this.lines.findIndex((line) => pattern.test(line));
      if (at >= 0) return pattern.exec(this.lines.splice(at, 1)[0] as string) as RegExpExecArray;
      if (Date.now() > deadline || this.#child.exitCode !== null) throw new Error(`Expected ${pattern}, got:\n${this.lines.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

test('the README shows the example as it is, in at most 30 lines', () => {
  const code = readFileSync(SERVER, 'utf8');
  expect(readFileSync(new URL('README.md', root), 'utf8')).toContain(`\`\`\`js\n${code}\`\`\``);
  expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
});

test('the factory alone, behind a bare `ws`: more clients than seats come, nobody is refused, and the gone ones are cleaned up', async () => {
  expect(existsSync(new URL('dist/index.js', root)), 'the package is built').toBe(true);
  const child = spawn(process.execPath, [SERVER], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, PORT: '0' } });
  const clients: RawClient[] = [];
  try {
    const output = new Output(child);
    const port = Number((await output.line(/^listening on (\d+)$/))[1]);
    const press = (): boolean => child.stdin.write('\n');
    const arrive = async (count: number): Promise<readonly (string | number)[]> => {
      const came = Array.from({ length: count }, () => connect(port));
      clients.push(...came);
      return await Promise.all(came.map(({ first }) => first));
    };
    expect((await arrive(20)).every((text) => /^Hello client-\d+, your seat came direct\.$/.test(String(text)))).toBe(true);
    // The twenty-first and more: room is lent, and nobody else is closed for it.
    for (const text of await arrive(4)) expect(text).toMatch(/^Hello client-\d+, your seat came burst\.$/);
    expect(clients.every(({ socket }) => socket.readyState === WebSocket.OPEN)).toBe(true);

    const gone = clients.splice(0, 5);
    const closed = gone.map(({ socket }) => once(socket, 'close'));
    for (const { socket } of gone) socket.terminate();
    await Promise.all(closed);
    // The server may have learned of three of the five when it is asked, and of the others a moment later: the sum counts.
    let freed = 0;
    await expect
      .poll(
        async () => {
          press();
          freed += Number((await output.line(/^closed (\d+)/))[1]);
          return freed;
        },
        { timeout: 10_000 },
      )
      .toBe(5);
    const plans = output.lines.filter((line) => /^(conservative|moderate|aggressive|force) would close \d+$/.test(line));
    expect(plans.length).toBeGreaterThanOrEqual(4);
    const status = JSON.parse((await output.line(/^status (.*"evicted":5.*)$/))[1] as string) as Record<string, unknown>;
    expect(status).toMatchObject({ seats: 19, sockets: 19, users: 1, created: 24, evicted: 5 });

    expect(await arrive(6)).toEqual(Array.from({ length: 6 }, () => expect.stringMatching(/^Hello client-\d+/)));
    expect(clients.every(({ socket }) => socket.readyState === WebSocket.OPEN)).toBe(true);
    // Twenty-five are seated. The next one waits its turn, and then one gives way, told why and how to return.
    const paused = new Promise<number>((resolve) => {
      for (const { socket } of clients) socket.once('close', resolve);
    });
    expect(await arrive(1)).toEqual([expect.stringMatching(/^Hello client-\d+, your seat came (force|after-cleanup|after-queue)\.$/)]);
    // None of these clients ever proves that anybody reads, so it may be called unresponsive; either way it may come back.
    expect([4002, 4200, 4201]).toContain(await paused);
  } finally {
    for (const { socket } of clients) socket.terminate();
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }
}, 60_000);
