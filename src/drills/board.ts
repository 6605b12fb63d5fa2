import { randomBytes } from 'node:crypto';
import type { DrillBoard } from '../ports/drills.ts';
import type { DrillExpectation, DrillInfo, DrillName, DrillRun, DrillStart, DrillState, DrillStep } from '../protocol/drills.ts';
import { SpillwayError } from '../protocol/errors.ts';
import { isUserId, spellRandom } from '../protocol/ids.ts';
import { drillCatalogue, LONGEST_MS } from './catalogue.ts';
import type { DrillGround } from './ground.ts';
import type { DrillNews, DrillOrder } from './order.ts';
import { type Performance, perform } from './performance.ts';

const KEPT_RUNS = 50;
const USER_PREFIX = 'drill:';

interface Running {
  readonly record: Written;
  readonly performance: Performance;
  readonly timer: NodeJS.Timeout;
  readonly over: Promise<void>;
}

/** A run while it goes on. */
interface Written extends DrillRun {
  state: DrillState;
  endedAt: number | null;
  readonly steps: DrillStep[];
  readonly expectations: DrillExpectation[];
}

/** Makes the board. It starts nothing by itself, and holds no process while no drill runs. */
export function createDrillBoard(ground: DrillGround): DrillBoard {
  return new Board(ground);
}

class Board implements DrillBoard {
  readonly catalogue: readonly DrillInfo[];
  readonly #ground: DrillGround;
  readonly #runs: Written[] = [];
  readonly #listeners = new Set<(run: DrillRun) => void>();
  #running: Running | null = null;
  /** Between the question and the process: a second start must not come in. */
  #isStarting = false;
  #isClosed = false;

  constructor(ground: DrillGround) {
    this.#ground = ground;
    this.catalogue = drillCatalogue(ground.options, ground.isShared);
  }

  get runs(): readonly DrillRun[] {
    return this.#runs;
  }

  async start(request: DrillStart): Promise<DrillRun> {
    const info = this.#infoOf(request.name);
    const count = countOf(info, request.count);
    const id = `drl_${spellRandom(randomBytes(20), 20)}`;
    const user = userOf(request, id);
    if (this.#isClosed) throw new SpillwayError('SPILLWAY_CLOSED', 'Expected a board that is open; the gateway is stopping.');
    if (this.#isStarting || this.#running !== null) {
      const name = this.#running?.record.name ?? 'another';
      throw new SpillwayError('SPILLWAY_BUSY', `Expected no drill to run, but "${name}" does. Stop it, or wait for its end.`, { retry: 'later' });
    }
    this.#isStarting = true;
    try {
      const startedAt = Date.now();
      const order = await this.#ground.order({ id, name: info.name, user, count, startedAt }, startedAt + LONGEST_MS * 2);
      const record: Written = { id, name: info.name, user, count, state: 'running', startedAt, endedAt: null, steps: [], expectations: [] };
      this.#runs.unshift(record);
      this.#runs.length = Math.min(this.#runs.length, KEPT_RUNS);
      this.#begin(record, order);
      return record;
    } finally {
      this.#isStarting = false;
    }
  }

  run(id: string): DrillRun | null {
    return this.#runs.find((run) => run.id === id) ?? null;
  }

  async stop(id: string): Promise<boolean> {
    const running = this.#running;
    if (running?.record.id !== id) return false;
    this.#note(running.record, 'stopped');
    running.record.state = 'stopped';
    await this.#end(running);
    return true;
  }

  onChange(listener: (run: DrillRun) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#running !== null) await this.stop(this.#running.record.id);
  }

  #infoOf(name: DrillName): DrillInfo {
    const info = this.catalogue.find((one) => one.name === name);
    if (info === undefined) {
      const names = this.catalogue.map((one) => one.name).join(', ');
      throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected the name of a drill, one of ${names}; got "${String(name)}".`);
    }
    return info;
  }

  #begin(record: Written, order: Omit<DrillOrder, 'folder'>): void {
    const performance = perform(order, (news) => this.#hear(record, news));
    const timer = setTimeout(() => {
      this.#note(record, `stopped: ${LONGEST_MS / 60_000} minutes are over`);
      record.state = 'stopped';
      void this.#end(running);
    }, LONGEST_MS);
    const over = performance.over.then((failure) => {
      clearTimeout(timer);
      if (failure !== null && record.state === 'running') this.#note(record, `it could not go on: ${failure}`);
      if (record.state === 'running') record.state = failure === null && isKept(record.expectations) ? 'passed' : 'failed';
      record.endedAt = Date.now();
      this.#running = null;
      this.#tell(record);
    });
    const running: Running = { record, performance, timer, over };
    this.#running = running;
    this.#tell(record);
  }

  async #end(running: Running): Promise<void> {
    running.performance.end();
    await running.over;
  }

  #hear(record: Written, news: DrillNews): void {
    if (record.state !== 'running') return;
    if ('step' in news) record.steps.push(news.step);
    else if ('expectation' in news) record.expectations[news.at] = news.expectation;
    else return;
    this.#tell(record);
  }

  #note(record: Written, text: string): void {
    record.steps.push({ atMs: Date.now() - record.startedAt, text });
  }

  #tell(record: Written): void {
    for (const listener of this.#listeners) listener(record);
  }
}

const isKept = (expectations: readonly DrillExpectation[]): boolean => expectations.length > 0 && expectations.every(({ ok }) => ok === true);

function countOf({ name, count }: DrillInfo, wanted: number = count.default): number {
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= count.most) return wanted;
  throw new SpillwayError(
    'SPILLWAY_BAD_ARGUMENT',
    `Expected \`count\` of "${name}" to be a whole number from 1 to ${count.most}, got ${JSON.stringify(wanted)}.`,
  );
}

/** Nobody outside the prefix is ever touched. Each run has a user of its own, so that none pays the debts of the one before. */
function userOf({ name, user }: DrillStart, id: string): string {
  const asked = user?.replace(new RegExp(`^${USER_PREFIX}`), '') ?? `${name}-${id.slice(-6)}`;
  const whole = `${USER_PREFIX}${asked}`;
  if (asked !== '' && isUserId(whole)) return whole;
  throw new SpillwayError('SPILLWAY_BAD_ARGUMENT', `Expected \`user\` to be 1 to 250 bytes without control characters, got ${JSON.stringify(user)}.`);
}
