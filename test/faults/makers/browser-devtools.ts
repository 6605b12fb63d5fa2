import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** What a command of the DevTools protocol answers, and what its events tell. */
// biome-ignore lint/suspicious/noExplicitAny: whoever asks says itself what it expects.
type Told = any;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Told;
  readonly result?: Told;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

const ANSWER_WITHIN_MS = 60_000;

/** Without them a page behaves as it does for people; the libraries that drive browsers add some that forbid throttling. */
const SWITCHES = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Else a page may not dial private addresses: 1006.
  '--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets',
  '--remote-debugging-pipe',
];

/** The lowest priority that there is. */
const NICEST = 19;

/** Chromium, spoken to in its own protocol over a pipe. */
export class Chromium implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<number, { resolve(result: Told): void; reject(error: Error): void }>();
  readonly #listeners = new Map<string, (method: string, params: Told) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    this.#ended = once(child, 'exit').then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended.'));
      this.#waiting.clear();
    });
    // It may be killed while something is on its way to it.
    (child.stdio[3] as Writable).on('error', () => {});
    this.#read(child.stdio[4] as Readable);
  }

  /** `folder` holds its profile, which is gone when it ends. */
  static async start(path: string, folder: string): Promise<Chromium> {
    const profile = await mkdtemp(join(folder, 'chromium-'));
    const child = spawn(path, [...SWITCHES, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const browser = new Chromium(child, profile);
    await browser.send('Browser.getVersion');
    return browser;
  }

  /** A command; of a page if its session is named. */
  async send(method: string, params: object = {}, session?: string): Promise<Told> {
    const id = ++this.#asked;
    const answer = new Promise<Told>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const message: Message = { id, method, params, ...(session === undefined ? {} : { sessionId: session }) };
    (this.#child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    const timer = setTimeout(() => {
      this.#waiting.get(id)?.reject(new Error(`Expected Chromium to answer ${method} within ${ANSWER_WITHIN_MS} ms.`));
      this.#waiting.delete(id);
    }, ANSWER_WITHIN_MS);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tells of the events of one page. */
  listen(session: string, listener: (method: string, params: Told) => void): void {
    this.#listeners.set(session, listener);
  }

  /** Pages that compute without end leave the processors to everybody else. */
  yieldProcessors(): void {
    for (const pid of this.#renderers()) setPriority(pid, NICEST);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    // Its other processes follow it, and write until they do.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  #read(from: Readable): void {
    let rest = '';
    from.setEncoding('utf8');
    from.on('data', (chunk: string) => {
      const messages = (rest + chunk).split('\0');
      rest = messages.pop() ?? '';
      for (const text of messages) this.#hear(JSON.parse(text) as Message);
    });
    from.on('error', () => {});
  }

  #hear({ id, method, params, result, error, sessionId }: Message): void {
    if (id === undefined) {
      if (method !== undefined && sessionId !== undefined) this.#listeners.get(sessionId)?.(method, params);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`Expected Chromium to do as told, got: ${error.message}`));
  }

  #renderers(): readonly number[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const line = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return line.includes('--type=renderer') && line.includes(this.#profile) ? [Number(name)] : [];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  }
}
