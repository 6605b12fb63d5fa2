import { check, faultsOf, isCutTail, joined } from '../../support/lossless/checker.ts';
import { readLog } from '../../support/lossless/logged.ts';
import { asking } from '../../support/lossless/numbered-agent.ts';
import { readLines } from '../../support/lossless/read-lines.ts';
import { type Progress, Recorder } from '../../support/lossless/recorder.ts';
import type { Attempted, Findings, Line } from '../../support/lossless/records.ts';
import { memorySink } from '../../support/lossless/sink.ts';
import { until } from '../../support/peers/kernel.ts';
import type { FaultGateway } from '../fault-gateway.ts';
import type { Result } from '../row.ts';

/** A recording client that works all the time, in a conversation of its own. */
export interface Member {
  readonly user: string;
  readonly thread: string;
  readonly recorder: Recorder;
  readonly lines: readonly Line[];
  /** What it said, each with the instant of this process. */
  readonly history: readonly { readonly at: number; readonly said: Progress }[];
}

const SEATED_WITHIN_MS = 30_000;
/** How long the last events may take to everybody once nothing new is said. */
const DRAINED_WITHIN_MS = 30_000;
const LAST_WORDS = 3;

/** What clients are seated at: a gateway, or several behind one door. */
export type Served = Pick<FaultGateway, 'wsUrl' | 'url' | 'attempted' | 'token' | 'ask' | 'cancel' | 'request'>;

/** Clients that work while something happens to their gateway, and what became of them. */
export class Crowd implements AsyncDisposable {
  readonly members: Member[] = [];
  readonly #gateway: Served;
  readonly #runs: { readonly user: string; readonly run: string }[] = [];

  constructor(gateway: Served) {
    this.#gateway = gateway;
  }

  /** Seats `count` clients of a user. */
  async seat(user: string, count: number): Promise<readonly Member[]> {
    const tokens = [await this.#gateway.token(user)];
    const seated = Array.from({ length: count }, (_, i): Member => {
      const sink = memorySink();
      const thread = `${user}-${this.members.length + i}`;
      const history: { at: number; said: Progress }[] = [];
      const onProgress = (said: Progress): void => {
        if (said.is !== 'applied' && said.is !== 'acked') history.push({ at: performance.now(), said });
      };
      const recorder = new Recorder({ url: this.#gateway.wsUrl, tokens, thread, sink, label: thread, onProgress });
      return { user, thread, recorder, lines: sink.lines, history };
    });
    this.members.push(...seated);
    await this.live(SEATED_WITHIN_MS, seated);
    return seated;
  }

  /** Resolves when all of them have a seat and a transport. */
  async live(withinMs: number, members: readonly Member[] = this.members): Promise<void> {
    await until('everybody to be live', () => members.every(({ recorder }) => recorder.client.state.name === 'live'), withinMs);
  }

  /** These close for good; what they have is not compared. */
  async leave(members: readonly Member[]): Promise<void> {
    await Promise.all(members.map(({ recorder }) => recorder.close()));
    for (const member of members) this.members.splice(this.members.indexOf(member), 1);
  }

  /** An answer that goes on until it is cancelled, in the conversations of these. */
  async talk(members: readonly Member[], perSecond: number): Promise<void> {
    for (const { user, thread } of members) {
      const run = await this.#gateway.ask(user, thread, asking({ perSecond, plainEvery: 5 }));
      this.#runs.push({ user, run });
    }
  }

  /** Why transports ended from this instant on, by whoever. */
  closesSince(at: number): readonly string[] {
    return this.members.flatMap(({ thread, history }) =>
      history.flatMap((one) => (one.at >= at && one.said.is === 'close' ? [`${thread}: ${one.said.code} ${one.said.reason}`] : [])),
    );
  }

  /** Everybody is told a last word, and what they have is compared with the log. `cut`: the process was killed, so that tails of runs may
   *  be missing. */
  async conclude(o: { readonly cut?: boolean } = {}): Promise<{ readonly findings: Findings; readonly faults: readonly string[] }> {
    for (const { user, run } of this.#runs) await this.#gateway.cancel(user, run);
    for (const { user, thread } of this.members) await this.#gateway.ask(user, thread, asking({ count: LAST_WORDS }));
    const attempted = [...readLines<Attempted>(this.#gateway.attempted)];
    const all: Findings[] = [];
    const faults: string[] = [];
    for (const member of this.members) {
      const { user, thread, lines } = member;
      const own = (): Attempted[] => attempted.filter((line) => line.user === user && line.thread === thread);
      const logged = await this.#wholeLog(member);
      const last = logged.at(-1)?.offset ?? 0;
      await until(`${thread} to have everything`, () => lastApplied(lines) >= last, DRAINED_WITHIN_MS).catch(() => {});
      // What was attempted since the file was read is in the log, and is compared with that.
      const missing = logged.some(({ number }) => number !== null && !own().some((one) => one.number === number));
      if (missing) attempted.splice(0, attempted.length, ...readLines<Attempted>(this.#gateway.attempted));
      const findings = check({ user, logged, lines, attempted: own() });
      all.push(findings);
      const isTailCut = o.cut === true && isCutTail(findings.unlogged, own());
      for (const fault of faultsOf(findings, ...(isTailCut ? (['unlogged'] as const) : []))) faults.push(`${thread} ${fault}`);
    }
    return { findings: joined(all), faults };
  }

  /** The log of a conversation in which nobody speaks any more. */
  async #wholeLog({ user, thread }: Member): ReturnType<typeof readLog> {
    const isOver = async (): Promise<boolean> => {
      const response = await this.#gateway.request(user, 'GET', `/v1/threads/${thread}/messages?limit=1`);
      return ((await response.json()) as { readonly activeRun: string | null }).activeRun === null;
    };
    await until(`an end of the runs in ${thread}`, isOver, DRAINED_WITHIN_MS, 50);
    return await readLog({ url: this.#gateway.url, token: await this.#gateway.token(user), thread });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(({ recorder }) => recorder.close()));
  }
}

function lastApplied(lines: readonly Line[]): number {
  const line = lines.findLast((one) => one.is === 'applied');
  return line?.is === 'applied' ? line.to : 0;
}

export const losslessOf = (findings: Findings): NonNullable<Result['lossless']> => {
  const { lost, doubled, reordered, phantom, altered, foreign, ackedUnseen, uneven, checked } = findings;
  const others = phantom.length + altered.length + foreign.length + ackedUnseen.length + uneven.length;
  return { checked, lost: lost.length, doubled: doubled.length, reordered: reordered.length, others };
};
