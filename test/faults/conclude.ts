import { join } from 'node:path';
import type { Stall } from '../support/lab/time.ts';
import { check, faultsOf, isCutTail } from '../support/lossless/checker.ts';
import { readLog } from '../support/lossless/logged.ts';
import { readLines } from '../support/lossless/read-lines.ts';
import type { Attempted, Findings, Line, Logged } from '../support/lossless/records.ts';
import { until } from '../support/peers/kernel.ts';
import { crowdThread } from './cast.ts';
import type { CastRun, Shown } from './cast-run.ts';
import { notesOf } from './client-notes.ts';
import type { FaultGateway } from './fault-gateway.ts';
import type { FalseClose, Observed } from './judge.ts';
import type { Times } from './row.ts';
import { scaled } from './times.ts';
import type { Watcher } from './watcher.ts';

const DRAINED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 300;
/** A client that was held up for so long within so long before its close is no witness. */
const STALL_MS = 5_000;
const STALL_WITHIN_MS = 30_000;

/** What one client and its crowd came to. */
export interface Concluded {
  readonly faulty: Observed;
  readonly crowd: readonly Observed[];
  readonly findings: readonly Findings[];
}

/** A client's file, whose it is, and what it follows. */
interface Reader {
  readonly name: string;
  readonly user: string;
  readonly thread: string;
  readonly file: string;
  readonly managers: readonly string[];
  readonly stalls: readonly Stall[];
}

/** Compares what every client of a run has applied with what was logged, and tells what became of it. */
export class Conclusion {
  readonly #gateway: FaultGateway;
  readonly #times: Times;
  readonly #watcher: Watcher;
  readonly #ownStalls: readonly Stall[];
  readonly #attempted = new Map<string, Attempted[]>();

  /** `stalls`: of this process, in which relays and proxies live. */
  constructor(gateway: FaultGateway, times: Times, watcher: Watcher, stalls: readonly Stall[]) {
    this.#gateway = gateway;
    this.#ownStalls = stalls;
    this.#times = times;
    this.#watcher = watcher;
    for (const line of readLines<Attempted>(gateway.attempted)) {
      const key = `${line.user}\n${line.thread}`;
      const lines = this.#attempted.get(key);
      if (lines === undefined) this.#attempted.set(key, [line]);
      else lines.push(line);
    }
  }

  async of({ cast }: CastRun, shown: Shown): Promise<Concluded> {
    const { subject, crowd, name, row } = cast;
    const { watched } = shown;
    const since = (at: number | null): number | null => (at === null ? null : at - watched.injectedAt);
    const findings: Findings[] = [];
    const faulty =
      subject.file === null
        ? null
        : { name, user: subject.user, thread: subject.thread, file: subject.file, managers: notesOf(subject.file).managers, stalls: subject.stalls?.() ?? [] };
    const isHealthy = row.expect.is === 'left-alone';
    const observed: Observed = {
      client: name,
      noticedMs: since(watched.noticedAt),
      socketReleasedMs: since(watched.socketReleasedAt),
      seatReleasedMs: since(watched.seatReleasedAt),
      wasSelfSlow: watched.wasSelfSlow,
      ...(faulty === null ? { faults: [], falselyClosed: [], ownReconnects: 0 } : await this.#read(faulty, shown, isHealthy, findings)),
      unproved: shown.unproved,
      broken: shown.broken,
    };
    const others: Observed[] = [];
    for (const [i, client] of crowd.entries()) {
      const reader: Reader = {
        name: `${name}, its neighbour ${i}`,
        user: subject.user,
        thread: crowdThread(name),
        file: client.file,
        managers: client.managers,
        stalls: client.host.stalls,
      };
      const read = await this.#read(reader, shown, true, findings);
      others.push({
        client: reader.name,
        noticedMs: null,
        socketReleasedMs: null,
        seatReleasedMs: null,
        wasSelfSlow: false,
        unproved: null,
        broken: [],
        ...read,
      });
    }
    return { faulty: observed, crowd: others, findings };
  }

  async #read(reader: Reader, shown: Shown, isHealthy: boolean, findings: Findings[]): Promise<Pick<Observed, 'faults' | 'falselyClosed' | 'ownReconnects'>> {
    const { user, thread, file } = reader;
    const logged = await this.#log(user, thread);
    const last = logged.at(-1)?.offset ?? 0;
    await until(`${reader.name} to catch up with offset ${last}`, () => notesOf(file).applied >= last, DRAINED_WITHIN_MS, LOOK_EVERY_MS).catch(() => {
      // What it lacks is lost, which the checker says with numbers.
    });
    const attempted = this.#attempted.get(`${user}\n${thread}`) ?? [];
    const found = check({ user, logged, lines: readLines<Line>(file), attempted });
    findings.push(found);
    const faults = faultsOf(found, ...(isCutTail(found.unlogged, attempted) ? (['unlogged'] as const) : []));
    const { closes } = notesOf(file);
    const within = closes.filter(({ at }) => at >= shown.from && at <= shown.to);
    return {
      faults,
      ownReconnects: within.filter(({ byItself }) => byItself).length,
      falselyClosed: isHealthy ? this.#falseCloses(reader, within) : [],
    };
  }

  #falseCloses({ managers, stalls }: Reader, closes: ReturnType<typeof notesOf>['closes']): readonly FalseClose[] {
    const heldUp = (at: number): boolean =>
      [...stalls, ...this.#ownStalls].some(
        ({ from, to }) => to - from > scaled(this.#times, STALL_MS) && to > at - scaled(this.#times, STALL_WITHIN_MS) && from < at,
      );
    const ended = closes
      .filter(({ byItself }) => !byItself)
      .map(({ at, code, reason }) => ({ what: `closed with ${code} ${reason}`.trim(), whileStalled: heldUp(at) }));
    const accused = managers.flatMap((manager) => {
      const what = this.#watcher.accused.get(manager);
      return what === undefined ? [] : [{ what, whileStalled: heldUp(this.#watcher.accusedAt.get(manager) ?? 0) }];
    });
    return [...ended, ...accused];
  }

  readonly #logs = new Map<string, Promise<readonly Logged[]>>();

  #log(user: string, thread: string): Promise<readonly Logged[]> {
    const key = join(user, thread);
    let log = this.#logs.get(key);
    if (log === undefined) {
      log = this.#gateway.token(user).then((token) => readLog({ url: this.#gateway.url, token, thread }));
      this.#logs.set(key, log);
    }
    return log;
  }
}
