/** What the operators' pages cost a gateway that holds 100,000 managers. `report` makes the page anew from what is kept. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LiveTopic } from '../../src/protocol/live.ts';
import { commitOf, HostWatch, machine } from '../machine.ts';
import { root } from '../results.ts';
import { exitOnSignals } from '../temporary.ts';
import { measureBrowser } from './browser.ts';
import type { Answers, Cost, Order, Question } from './gateway.ts';
import { pageOf } from './page.ts';
import { type BrowserResult, costOf, GOALS, type Result, type ScreenResult } from './results.ts';
import type { Slice } from './slices.ts';
import { LIST, OVERVIEW, Viewer } from './viewer.ts';

const RESULTS = join(root, 'bench', 'results', 'dashboard-100k.json');
const PAGE = join(root, 'docs', 'dashboard-benchmark.md');
const KEY = 'key-of-the-benchmark';
const SETTLE_MS = 2_000;
/** All managers turn idle once, together: nothing is measured before. */
const WARM_UP_MS = 35_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (text: string): unknown => process.stdout.write(`${text}\n`);

/** The process that is measured. */
class Measured {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./gateway.ts', import.meta.url), [], { execArgv: ['--expose-gc'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  start(order: Order): Promise<Answers['start']> {
    return this.#ask({ ask: 'start', order });
  }

  during<A extends Exclude<keyof Answers, 'start'>>(ask: A, forMs: number): Promise<Answers[A]> {
    return this.#ask({ ask, forMs });
  }

  async #ask<T>(question: Question): Promise<T> {
    this.#child.send(question);
    const listening = new AbortController();
    const { signal } = listening;
    const answered = once(this.#child, 'message', { signal });
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('Expected the measured process to answer, it ended.');
    });
    try {
      const [answer] = await Promise.race([answered, ended]);
      return answer as T;
    } finally {
      listening.abort();
      await Promise.allSettled([answered, ended]);
    }
  }

  end(): void {
    this.#child.disconnect();
  }
}

interface Settings {
  readonly windowMs: number;
  readonly windows: number;
}

async function measureScreen(
  name: string,
  topics: readonly LiveTopic[],
  measured: Measured,
  viewer: Viewer,
  { windowMs, windows }: Settings,
): Promise<ScreenResult> {
  const cost = (): Promise<Cost> => measured.during('cost', windowMs);
  const off: number[] = [];
  const on: number[] = [];
  let bytes = 0;
  let updates = 0;
  let changes = 0;
  let wallMs = 0;
  let toldMs = 0;
  let firstBytes = 0;
  for (let window = 0; window < windows; window++) {
    await sleep(SETTLE_MS);
    off.push((await cost()).cpuShare);
    void viewer.told;
    viewer.watch(topics);
    await sleep(SETTLE_MS);
    firstBytes = Math.max(firstBytes, viewer.told.bytes);
    const watched = await cost();
    const { told } = viewer;
    on.push(watched.cpuShare);
    bytes += told.bytes;
    updates += told.updates;
    toldMs += told.forMs;
    changes += watched.changes;
    wallMs += watched.wallMs;
    viewer.unwatch();
    say(`${name} ${window + 1}/${windows}: ${(100 * (off.at(-1) ?? 0)).toFixed(2)} % off, ${(100 * watched.cpuShare).toFixed(2)} % on`);
  }
  viewer.watch(topics);
  await sleep(SETTLE_MS);
  const slices = await measured.during('slices', windowMs);
  const profile = await measured.during('profile', windowMs);
  viewer.unwatch();
  const perS = (count: number, ms: number): number => count / (ms / 1_000);
  return {
    off,
    on,
    bytesPerS: perS(bytes, toldMs),
    updatesPerS: perS(updates, toldMs),
    firstBytes,
    changesPerS: perS(changes, wallMs),
    slices: summed(slices, windowMs),
    profile,
  };
}

function summed(slices: readonly Slice[], windowMs: number): ScreenResult['slices'] {
  const wall = slices.map(({ wallMs }) => wallMs).toSorted((a, b) => a - b);
  const cpu = slices.map(({ cpuMs }) => cpuMs).toSorted((a, b) => a - b);
  const at = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    count: slices.length,
    cpuShare: cpu.reduce((sum, ms) => sum + ms, 0) / windowMs,
    p99WallMs: at(wall, 0.99),
    maxWallMs: at(wall, 1),
    p99CpuMs: at(cpu, 0.99),
    maxCpuMs: at(cpu, 1),
    overWall: wall.filter((one) => one > GOALS.sliceMs).length,
    overCpu: cpu.filter((one) => one > GOALS.sliceMs).length,
  };
}

async function measure(managers: number, settings: Settings, withBrowser: boolean): Promise<Result> {
  const host = new HostWatch();
  const measured = new Measured();
  const pages = join(root, 'dist', 'web', 'dashboard');
  const { port, fillMs } = await measured.start({ managers, key: KEY, pages: existsSync(join(pages, 'index.html')) ? pages : null });
  say(`${managers.toLocaleString('en')} managers in ${(fillMs / 1_000).toFixed(1)} s`);
  await sleep(WARM_UP_MS);
  const viewer = await Viewer.open(port, KEY);
  const overview = await measureScreen('overview', OVERVIEW, measured, viewer, settings);
  const list = await measureScreen('list', LIST, measured, viewer, settings);
  viewer.close();
  // The end of the last watch is work too.
  await sleep(SETTLE_MS);
  const nobody = await measured.during('profile', settings.windowMs);
  const { rssMiB } = await measured.during('cost', 1_000);
  const browser: readonly BrowserResult[] =
    withBrowser && existsSync(join(pages, 'index.html')) ? await measureBrowser(`http://127.0.0.1:${port}/#k=${KEY}`, settings.windowMs) : [];
  measured.end();
  const { commit, dirty } = commitOf(root);
  const ownMs = [...overview.off, ...overview.on, ...list.off, ...list.on].reduce((sum, share) => sum + share * settings.windowMs, 0);
  return {
    at: new Date().toISOString(),
    commit: `${commit}${dirty ? ' with changes' : ''}`,
    machine: machine(),
    node: process.versions.node,
    managers,
    windowS: settings.windowMs / 1_000,
    windows: settings.windows,
    othersShare: host.end(ownMs).othersShare,
    fillMs,
    rssMiB,
    screens: { overview, list },
    nobodyShare: nobody.liveShare,
    browser,
  };
}

function report(): void {
  writeFileSync(PAGE, pageOf(JSON.parse(readFileSync(RESULTS, 'utf8')) as Result));
  say(`${PAGE} is made.`);
}

exitOnSignals();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    managers: { type: 'string', default: '100000' },
    window: { type: 'string', default: '30' },
    windows: { type: 'string', default: '5' },
    out: { type: 'string', default: RESULTS },
    'no-browser': { type: 'boolean', default: false },
  },
});
if (positionals[0] === 'report') report();
else {
  const result = await measure(Number(values.managers), { windowMs: Number(values.window) * 1_000, windows: Number(values.windows) }, !values['no-browser']);
  writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
  const { overview, list } = result.screens;
  say(`overview ${(100 * costOf(overview)).toFixed(2)} % of a core, list ${(100 * costOf(list)).toFixed(2)} %; ${values.out}`);
  if (values.out === RESULTS) report();
}
