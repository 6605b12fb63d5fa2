import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { portsOfProcess, until } from './kernel.ts';

/** What a process says of one of its clients. */
interface Line {
  /** Which client: its number. */
  readonly client: number;
  readonly seated?: string;
  /** Port from which it dialled. */
  readonly port?: number;
  readonly how?: string;
  readonly seat?: string;
  readonly afterMs?: number;
  readonly applied?: number;
  readonly closed?: number;
  readonly failed?: string;
  readonly frozen?: true;
  readonly pongsWhileFrozen?: number;
}

/** What a process is told about one of its clients. */
interface Command {
  readonly open?: { readonly url: string; readonly token: string; readonly thread: string };
  /** Connect again, as when its person uses it. */
  readonly return?: true;
  /** Block the page's thread for good. */
  readonly freeze?: true;
}

const SEATED_WITHIN_MS = 20_000;

/** A process of its own in which clients live: they are stopped and killed together. */
export class Home implements AsyncDisposable {
  readonly pid: number;
  readonly lines: Line[] = [];
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #clients = 0;

  /** Starts `script` of this folder, without clients. */
  constructor(script: 'client-process.ts' | 'page-process.ts') {
    const path = new URL(script, import.meta.url).pathname;
    this.#process = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.pid = this.#process.pid as number;
    this.#ended = once(this.#process, 'exit');
    if (this.#process.stdout) createInterface(this.#process.stdout).on('line', (line) => this.lines.push(JSON.parse(line) as Line));
    // It may be killed while something is on its way to it.
    this.#process.stdin?.on('error', () => {});
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Opens a client in it and waits until that one is seated. */
  async open(url: string, token: string, thread: string): Promise<HomeClient> {
    const client = new HomeClient(this, this.#clients++);
    client.command({ open: { url, token, thread } });
    const line = await client.said('a client to be seated', (said) => (said.seated === undefined ? undefined : said), SEATED_WITHIN_MS);
    client.manager = line.seated ?? '';
    client.port = line.port ?? 0;
    return client;
  }

  /** Ports from which it is connected to `port`, by the kernel's table. */
  portsTo(port: number): ReadonlySet<number> {
    return portsOfProcess(this.pid, port);
  }

  write(line: object): void {
    this.#process.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(name);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** One client of a home. */
export class HomeClient {
  readonly home: Home;
  manager = '';
  port = 0;
  readonly #number: number;

  constructor(home: Home, number: number) {
    this.home = home;
    this.#number = number;
  }

  command(command: Command): void {
    this.home.write({ client: this.#number, ...command });
  }

  /** The first thing that was said of it, from line `from` of its home on, in which `pick` finds something. */
  async said<T>(what: string, pick: (line: Line) => T | undefined, deadlineMs = 5_000, from = 0): Promise<T> {
    return await until(
      what,
      () => {
        for (const line of this.home.lines.slice(from)) {
          if (line.client !== this.#number) continue;
          const found = pick(line);
          if (found !== undefined) return found;
          if (line.failed !== undefined) throw new Error(`Expected ${what}, got: ${line.failed}`);
        }
        if (this.home.hasEnded) throw new Error(`Expected ${what}, its process ended.`);
        return null;
      },
      deadlineMs,
    );
  }
}
