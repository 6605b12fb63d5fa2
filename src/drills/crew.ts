import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import { extname } from 'node:path';
import type { Stream } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DrillNews } from './order.ts';
import { LEAVE } from './peers/tab-messages.ts';

/** A farewell is one frame; whoever does not get it through is not waited for. */
const LEFT_WITHIN_MS = 1_500;

export interface MemberOptions {
  readonly args?: readonly string[];
  /** Besides input, output, errors and the channel for messages. */
  readonly more?: readonly ('pipe' | Stream)[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it runs. */
  readonly folder?: string;
  /** Whether what it prints is read, by whoever started it. */
  readonly isRead?: boolean;
}

/** One process of a drill. */
export interface Member {
  readonly child: ChildProcess;
  /** Whether it runs, or is stopped. */
  readonly isThere: () => boolean;
  /** Whether SIGSTOP was the last that it was told. */
  readonly isStopped: () => boolean;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  tell(message: Serializable): void;
  /** Calls back with everything that it says. */
  hear(listener: (said: never) => void): void;
  signal(name: NodeJS.Signals): void;
}

/** The processes of a drill. Each ends when this one does; a stopped one is reported to whoever is above, so that it is ended too. */
export class Crew {
  readonly #tell: (news: DrillNews) => void;
  readonly #members = new Set<Member>();
  /** Those that can give their seats back by themselves. */
  readonly #guests = new Set<Member>();
  #isClosed = false;

  constructor(tell: (news: DrillNews) => void) {
    this.#tell = tell;
  }

  /** Starts a file of the folder `peers`. */
  peer(name: string, options: MemberOptions = {}): Member {
    const file = fileURLToPath(new URL(`./peers/${name}${extname(import.meta.url)}`, import.meta.url));
    return this.start([file, ...(options.args ?? [])], options);
  }

  /** Starts Node with these arguments. */
  start(args: readonly string[], { more = [], environment = {}, folder, isRead = false }: MemberOptions = {}): Member {
    if (this.#isClosed) throw new Error('Expected a drill that goes on; it has been ended.');
    const child: ChildProcess = spawn(process.execPath, [...args], {
      stdio: ['ignore', isRead ? 'pipe' : 'ignore', 'ignore', 'ipc', ...more],
      ...(folder === undefined ? {} : { cwd: folder }),
      env: { ...process.env, ...environment },
    });
    const { pid } = child;
    let isStopped = false;
    const ended = new Promise<void>((resolve) => {
      const end = (): void => {
        this.#members.delete(member);
        if (pid !== undefined) this.#tell({ died: pid });
        resolve();
      };
      child.once('exit', end);
      child.once('error', () => pid === undefined && end());
    });
    const member: Member = {
      child,
      ended,
      isThere: () => child.exitCode === null && child.signalCode === null,
      // It may be gone already, as some of them are made to.
      tell: (message) => void (child.connected && child.send(message, () => {})),
      hear: (listener) => void child.on('message', listener as (said: unknown) => void),
      isStopped: () => isStopped,
      signal: (name) => {
        isStopped = name === 'SIGSTOP';
        child.kill(name);
      },
    };
    this.#members.add(member);
    if (pid !== undefined) this.#tell({ born: pid });
    return member;
  }

  /** Starts a process with tabs. */
  tabs(options: MemberOptions = {}): Member {
    const member = this.peer('tabs', options);
    this.#guests.add(member);
    return member;
  }

  /** Lets the tabs that can give their seats back; the others lose them in their time. */
  async leave(): Promise<void> {
    const guests = [...this.#guests].filter((guest) => guest.isThere() && !guest.isStopped());
    for (const guest of guests) guest.tell(LEAVE);
    await Promise.race([Promise.all(guests.map(({ ended }) => ended)), delay(LEFT_WITHIN_MS, null, { ref: false })]);
  }

  /** Ends them all, stopped ones too. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const members = [...this.#members];
    for (const member of members) member.signal('SIGKILL');
    await Promise.all(members.map(({ ended }) => ended));
  }
}
