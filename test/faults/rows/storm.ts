import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readLines } from '../../support/lossless/read-lines.ts';
import type { Line } from '../../support/lossless/records.ts';
import { until } from '../../support/peers/kernel.ts';
import type { FaultGateway } from '../fault-gateway.ts';
import type { StormClient, StormSaid } from './storm-messages.ts';

const PROGRAM = new URL('./storm-process.ts', import.meta.url).pathname;
const EACH = 20;
const ADDRESSES = 50;

export interface StormMember {
  readonly name: string;
  readonly user: string;
  readonly thread: string;
  readonly file: string;
}

/** What became of one wave. */
export interface Wave {
  /** Of the slowest, from its dial to its seat. */
  readonly slowestMs: number;
  readonly seated: number;
  readonly how: Readonly<Record<string, number>>;
  /** Told a place in a queue, and told to come later. */
  readonly queued: number;
  readonly later: number;
}

/** Twenty clients of each of many users, in one process that is killed as a whole. */
export class Storm implements AsyncDisposable {
  readonly members: readonly StormMember[];
  readonly users: readonly string[];
  /** Of the wave now. */
  said: StormSaid[] = [];
  readonly #gateway: FaultGateway;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #life = 0;

  constructor(gateway: FaultGateway, users: number) {
    this.#gateway = gateway;
    this.users = Array.from({ length: users }, (_, i) => `storm-${i}`);
    this.members = this.users.flatMap((user) =>
      Array.from({ length: EACH }, (_, i) => ({ name: `${user}-${i}`, user, thread: `${user}-thread`, file: join(gateway.folder, `${user}-${i}.jsonl`) })),
    );
  }

  /** Where each client of the last wave would go on. */
  saved(): ReadonlyMap<string, NonNullable<StormClient['resume']>> {
    const saved = new Map<string, NonNullable<StormClient['resume']>>();
    for (const said of this.said) {
      const member = this.members.find(({ name }) => name === said.client);
      if (said.is !== 'seated' || member === undefined) continue;
      let position = { epoch: '', offset: 0 };
      for (const line of readLines<Line>(member.file)) if (line.is === 'applied') position = { epoch: line.epoch, offset: line.to };
      saved.set(member.name, { manager: said.manager, token: said.token, ...position });
    }
    return saved;
  }

  /** All of them dial in one tick; resolves when all have a seat, or after `withinMs`. `resume`: with what each goes on; without, each is
   *  new, and writes into a file of its own. */
  async wave(withinMs: number, resume: ReadonlyMap<string, NonNullable<StormClient['resume']>> | null): Promise<Wave> {
    const child = fork(PROGRAM, { execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    this.#ended = once(child, 'exit');
    this.#life += 1;
    const said: StormSaid[] = [];
    this.said = said;
    const seated = new Set<string>();
    child.on('message', (one: StormSaid) => {
      said.push(one);
      if (one.is === 'seated') seated.add(one.client);
    });
    const clients: StormClient[] = [];
    for (const [i, { name, user, thread, file }] of this.members.entries()) {
      const saved = resume?.get(name);
      clients.push({
        name,
        token: await this.#gateway.token(user),
        thread,
        from: `127.0.${1 + Math.floor((i % ADDRESSES) / 25)}.${1 + (i % 25)}`,
        file: this.fileOf(file),
        life: this.#life,
        ...(saved === undefined ? {} : { resume: saved }),
      });
    }
    child.send({ url: this.#gateway.wsUrl, clients });
    await until('a seat for everybody', () => seated.size === this.members.length, withinMs).catch(() => {});
    const how: Record<string, number> = {};
    let slowestMs = 0;
    for (const one of said)
      if (one.is === 'seated') {
        how[one.how] = (how[one.how] ?? 0) + 1;
        slowestMs = Math.max(slowestMs, one.at - one.dialledAt);
      }
    return {
      slowestMs: Math.round(slowestMs),
      seated: seated.size,
      how,
      queued: said.filter(({ is }) => is === 'queued').length,
      later: said.filter((one) => one.is === 'closed' && one.code >= 4100 && one.code < 4200).length,
    };
  }

  #fresh = '';
  /** From now on they are new clients, each with a file of its own. */
  begin(name: string): void {
    this.#fresh = name;
  }
  fileOf(file: string): string {
    return this.#fresh === '' ? file : `${file}.${this.#fresh}`;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
