import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TcpRelay, tcpRelay } from './tcp-relay.ts';

interface Line {
  readonly tab: number;
  readonly dials?: 'user' | 'auto';
  readonly state?: string;
  readonly manager?: string;
  readonly how?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly applied?: number;
  readonly hole?: string;
}

const PATH = new URL('./tabs-process.ts', import.meta.url).pathname;

/** A browser: a process of its own with tabs that are the real SDK. */
export class Browser implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #tabs: Tab[] = [];

  constructor() {
    this.#process = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PATH], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#process, 'exit');
    if (this.#process.stdout)
      createInterface(this.#process.stdout).on('line', (text) => {
        const line = JSON.parse(text) as Line;
        this.#tabs[line.tab]?.hear(line);
      });
    this.#process.stdin?.on('error', () => {});
  }

  /** Its person opens a tab. Each has a road of its own to the gateway. */
  async open(port: number, token: string, thread: string): Promise<Tab> {
    const road = await tcpRelay(port);
    const number = this.#tabs.length;
    const tab = new Tab(thread, road, (command) => this.#process.stdin?.write(`${JSON.stringify({ tab: number, ...command })}\n`));
    this.#tabs.push(tab);
    tab.tell({ open: { url: `ws://127.0.0.1:${road.port}/v1/ws`, token, thread } });
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
    await Promise.all(this.#tabs.map((tab) => tab.road[Symbol.asyncDispose]()));
  }
}

/** One tab: what its person does to it, and what it has said. */
export class Tab {
  readonly thread: string;
  readonly road: TcpRelay;
  readonly tell: (command: { readonly open?: object; readonly resume?: true; readonly close?: true }) => void;
  /** Attempts so far, in order. */
  readonly dials: ('user' | 'auto')[] = [];
  /** Every state so far, in order. */
  readonly states: string[] = [];
  /** How each admission ended, in order. */
  readonly seated: string[] = [];
  readonly holes: string[] = [];
  manager = '';
  applied = 0;
  /** Close code and reason with which it was told to wait for its person. */
  sentAway: { readonly code: number; readonly reason: string } | null = null;

  constructor(thread: string, road: TcpRelay, tell: Tab['tell']) {
    this.thread = thread;
    this.road = road;
    this.tell = tell;
  }

  get state(): string {
    return this.states.at(-1) ?? 'idle';
  }

  hear({ dials, state, manager, how, code, reason, applied, hole }: Line): void {
    if (dials !== undefined) this.dials.push(dials);
    if (state !== undefined) this.states.push(state);
    if (manager !== undefined) this.manager = manager;
    if (how !== undefined) this.seated.push(how);
    if (code !== undefined) this.sentAway = { code, reason: reason ?? '' };
    if (applied !== undefined) this.applied = applied;
    if (hole !== undefined) this.holes.push(hole);
  }
}
