import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { nowMs, type Stall } from '../../support/lab/time.ts';
import { until } from '../../support/peers/kernel.ts';
import type { Remote } from '../kernel-table.ts';
import { killedAtExit } from '../killed-at-exit.ts';
import type { HostCommand, HostSaid } from './host-messages.ts';

export type HostScript = 'host-process.ts' | 'page-process.ts';

export interface OpenOptions {
  readonly url: string;
  readonly token: string;
  readonly thread: string;
  readonly file: string;
  readonly divisor: number;
  readonly measures?: boolean;
}

interface Close {
  readonly at: number;
  readonly code: number;
  readonly reason: string;
}

const SEATED_WITHIN_MS = 60_000;
const CLOSED_WITHIN_MS = 10_000;

/** A process of its own in which recording clients live: they are stopped and killed together. */
export class Host implements AsyncDisposable {
  readonly pid: number;
  readonly stalls: Stall[] = [];
  readonly #child: ChildProcess;
  readonly #clients: HostedClient[] = [];
  readonly #ended: Promise<unknown>;

  /** `inside`: what comes before `node` on its command line, such as a program that enters a namespace and becomes it. */
  constructor(script: HostScript = 'host-process.ts', inside: readonly string[] = []) {
    const [execPath = process.execPath, ...execArgv] = [...inside, process.execPath, '--disable-warning=ExperimentalWarning'];
    this.#child = fork(new URL(script, import.meta.url).pathname, {
      execPath,
      execArgv,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.pid = this.#child.pid as number;
    killedAtExit(this.#child);
    this.#ended = once(this.#child, 'exit');
    this.#child.on('message', (said: HostSaid) => {
      if (said.is === 'stall') this.stalls.push(said.stall);
      else this.#clients[said.client]?.hear(said);
    });
    // It may be killed while something is on its way to it.
    this.#child.on('error', () => {});
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** A client in it; resolves when it is seated. */
  async open(o: OpenOptions): Promise<HostedClient> {
    const client = new HostedClient(this, this.#clients.length, o.file);
    this.#clients.push(client);
    this.tell({ do: 'open', client: client.number, measures: false, ...o });
    await until(
      `a client of ${o.thread} to be seated`,
      () => client.manager !== null || (this.hasEnded && Promise.reject(new Error('Its process ended.'))),
      SEATED_WITHIN_MS,
    );
    return client;
  }

  tell(command: HostCommand): void {
    if (!this.hasEnded) this.#child.send(command, () => {});
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** One client of a host, as far as it has told. */
export class HostedClient {
  readonly number: number;
  readonly file: string;
  /** Of its current or last session; null before the first. */
  manager: string | null = null;
  state = 'connecting';
  /** Managers that it has been, in order. */
  readonly managers: string[] = [];
  readonly closes: Close[] = [];
  readonly dials: { readonly at: number }[] = [];
  readonly lateMs: number[] = [];
  /** Highest number that it has applied. */
  applied = 0;
  /** How often it was attached to a manager that it was before, and how often it had to be admitted again. */
  attached = 0;
  pongsWhileFrozen = 0;
  liveAt = 0;
  readonly host: Host;
  #sockets: Remote[] = [];
  #isClosed = false;

  constructor(host: Host, number: number, file: string) {
    this.host = host;
    this.number = number;
    this.file = file;
  }

  /** Where its open connections come from. */
  get sockets(): readonly Remote[] {
    return this.#sockets;
  }

  command(command: HostCommand extends infer C ? (C extends HostCommand ? Omit<C, 'client'> : never) : never): void {
    this.host.tell({ ...command, client: this.number } as HostCommand);
  }

  hear(said: HostSaid): void {
    if (said.is === 'late') this.lateMs.push(said.ms);
    else if (said.is === 'frozen') this.pongsWhileFrozen = said.pongs;
    else if (said.is === 'closed') this.#isClosed = true;
    if (said.is !== 'progress') return;
    const { progress } = said;
    if (progress.is === 'socket') this.#sockets = [{ address: progress.address, port: progress.port }];
    else if (progress.is === 'applied') this.applied = Math.max(this.applied, progress.number);
    else if (progress.is === 'dial') this.dials.push({ at: nowMs() });
    else if (progress.is === 'close') {
      this.closes.push({ at: nowMs(), code: progress.code, reason: progress.reason });
      this.#sockets = [];
    } else if (progress.is === 'state') {
      this.state = progress.name;
      if (progress.name !== 'live' || progress.manager === undefined) return;
      this.liveAt = nowMs();
      if (progress.how === 'attached') this.attached++;
      this.manager = progress.manager;
      this.managers.push(progress.manager);
    }
  }

  /** Gives its seat back. */
  async close(): Promise<void> {
    if (this.host.hasEnded) return;
    this.command({ do: 'close' });
    await until('a client to say that it has left', () => this.#isClosed || this.host.hasEnded, CLOSED_WITHIN_MS);
  }
}
