import { setTimeout as delay } from 'node:timers/promises';
import { type Stall, watchStalls } from '../support/lab/time.ts';
import { joined } from '../support/lossless/checker.ts';
import { type Cast, makeCast, type Part, partsOf, shareOf } from './cast.ts';
import { CastRun, type Shown } from './cast-run.ts';
import { type Concluded, Conclusion } from './conclude.ts';
import type { FaultGateway } from './fault-gateway.ts';
import { inTurns } from './in-turns.ts';
import { type Allowance, judgeRow } from './judge.ts';
import { type GateReading, LoadGate } from './load-gate.ts';
import { clientOf, endShared } from './makers/hosted.ts';
import type { ClientRow, Expectation, Result, Target, Times } from './row.ts';
import { boundMs, PASS_MS, RELEASE_MS, scaled } from './times.ts';
import { Watcher } from './watcher.ts';

export interface ClientPhaseOptions {
  readonly gateway: FaultGateway;
  /** C00 is among them. */
  readonly rows: readonly ClientRow[];
  readonly times: Times;
  readonly say: (text: string) => void;
}

interface Mishap {
  readonly row: ClientRow;
  readonly variant: Cast['variant'];
  readonly why: string;
}

export interface ClientPhase {
  readonly results: readonly Result[];
  readonly gate: GateReading;
}

const CONTROL = 'C00';
/** What else there is to say of a row repeats itself. */
const MOST_NOTES = 4;
const CONTROL_ALONE_MS = 20_000;
const FAST_CONTROL_ALONE_MS = 3_000;
const CONTROL_TRIES = 3;
/** Processes that are started at once. */
const MADE_AT_ONCE = 6;

/** All rows of clients at once on one gateway, each faulty client with a user of its own. */
export async function runClients({ gateway, rows, times, say }: ClientPhaseOptions): Promise<ClientPhase> {
  const isFast = times.divisor > 1;
  const target: Target = { url: gateway.url, gatewayPid: gateway.pid, times, folder: gateway.folder, token: (user) => gateway.token(user) };
  const runs: CastRun[] = [];
  const startedAt = performance.now();
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => endShared(target));
  cleanUp.defer(() => disposeAll(runs.map(({ cast }) => cast)));
  const stalls: Stall[] = [];
  cleanUp.use(watchStalls((stall) => stalls.push(stall)));
  const watcher = cleanUp.use(new Watcher(gateway));
  using gate = new LoadGate(
    times,
    () => runs.filter(({ cast }) => cast.row.key === CONTROL).flatMap(({ cast }) => clientOf(cast.subject) ?? []),
    () => runs.filter(({ cast }) => cast.row.expect.is === 'left-alone').flatMap(({ cast }) => cast.subject.stalls?.() ?? []),
  );
  const mishaps: Mishap[] = [];
  /** What throws is the failure of its row, and of no other. */
  const orMishap = async <T>(part: Pick<Part, 'row' | 'variant'>, work: Promise<T>): Promise<T | null> => {
    try {
      return await work;
    } catch (error) {
      mishaps.push({ row: part.row, variant: part.variant, why: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  const prepare = async (parts: readonly Part[]): Promise<void> => {
    await inTurns(parts, MADE_AT_ONCE, async (part) => {
      const cast = await orMishap(part, makeCast(target, part));
      if (cast === null) return;
      const run = new CastRun(cast, gateway, times);
      runs.push(run);
      await orMishap(part, run.warmUp());
    });
  };

  const [controls = [], others = []] = [true, false].map((isControl) =>
    partsOf(
      rows.filter(({ key }) => (key === CONTROL) === isControl),
      isFast,
    ),
  );
  await prepare(controls);
  for (let i = 1; ; i++) {
    gate.open();
    await delay(isFast ? FAST_CONTROL_ALONE_MS : CONTROL_ALONE_MS);
    const alone = gate.read();
    if (alone.passed || i === CONTROL_TRIES) break;
    say(`The machine is busy, the control waits again: ${alone.why}.`);
  }
  await prepare(others);
  say(`${runs.length} faulty clients and ${runs.reduce((sum, { cast }) => sum + cast.crowd.length, 0)} neighbours work after ${seconds(startedAt)} s.`);

  gate.open();
  const shown = await Promise.all(
    runs.map((run) =>
      orMishap(
        run.cast,
        run.live(watcher, (ms) => gate.injectionsMs.push(ms)),
      ),
    ),
  );
  const reading = gate.read();
  await Promise.all(runs.map((run) => run.hush()));
  const conclusion = new Conclusion(gateway, times, watcher, stalls);
  const concluded: { readonly run: CastRun; readonly shown: Shown; readonly is: Concluded }[] = [];
  for (const [i, run] of runs.entries()) {
    const one = shown[i] ?? null;
    const is = one === null ? null : await orMishap(run.cast, conclusion.of(run, one));
    if (one !== null && is !== null) concluded.push({ run, shown: one, is });
  }

  const results = rows.flatMap((row) =>
    [...new Set([...controls, ...others].filter((part) => part.row === row).map(({ variant }) => variant))].map((variant): Result => {
      const own = concluded.filter(({ run }) => run.cast.row === row && run.cast.variant === variant);
      const result = resultOf(own, row, variant, times, reading, seconds(startedAt));
      const mishap = mishaps.find((one) => one.row === row && one.variant === variant);
      return mishap === undefined ? result : { ...result, outcome: 'failed', why: mishap.why };
    }),
  );
  return { results, gate: reading };
}

function resultOf(
  own: readonly { readonly shown: Shown; readonly is: Concluded }[],
  row: ClientRow,
  variant: Cast['variant'],
  times: Times,
  gate: GateReading,
  tookS: number,
): Result {
  const allowed = allowanceOf(row, variant, times);
  const faulty = own.map(({ is }) => is.faulty);
  const crowd = own.flatMap(({ is }) => is.crowd);
  const verdicts = [judgeRow(faulty, allowed, gate), judgeRow(crowd, { ...allowed, expect: { is: 'left-alone' }, ownReconnects: 0 }, gate)];
  const verdict = verdicts.find(({ outcome }) => outcome === 'failed') ??
    verdicts.find(({ outcome }) => outcome === 'void') ?? { outcome: 'passed' as const, why: null };
  const latest = (of: (one: (typeof faulty)[number]) => number | null): number | null => {
    const all = faulty.map(of);
    return all.includes(null) ? null : Math.round(Math.max(...(all as number[])));
  };
  const findings = joined(own.flatMap(({ is }) => is.findings));
  const others =
    findings.phantom.length +
    findings.altered.length +
    findings.foreign.length +
    findings.ackedUnseen.length +
    findings.declared.length +
    findings.uneven.length;
  const isLookedFor = row.expect.is !== 'left-alone';
  const ownReconnects = faulty.reduce((sum, one) => sum + one.ownReconnects, 0);
  const says = new Set(own.flatMap(({ shown }) => (shown.watched.noticed === null || !isLookedFor ? [] : [shown.watched.noticed])));
  return {
    key: row.key,
    ...(variant === null ? {} : { variant }),
    outcome: verdict.outcome,
    ...(verdict.why === null ? {} : { why: verdict.why }),
    clients: faulty.length,
    ...(isLookedFor
      ? {
          noticedMs: latest((one) => one.noticedMs),
          socketReleasedMs: latest((one) => one.socketReleasedMs),
          seatReleasedMs: latest((one) => one.seatReleasedMs),
        }
      : {}),
    ...(allowed.expect.is === 'noticed' ? { boundMs: Math.round(allowed.boundMs) } : {}),
    falselyClosed: [...(allowed.expect.is === 'info' ? [] : faulty), ...crowd].filter(({ falselyClosed }) => falselyClosed.length > 0).length,
    lossless:
      findings.checked === 0
        ? null
        : { checked: findings.checked, lost: findings.lost.length, doubled: findings.doubled.length, reordered: findings.reordered.length, others },
    seconds: tookS,
    notes: [...says, ...(ownReconnects > 0 ? [`${ownReconnects} own reconnects`] : []), ...new Set(own.flatMap(({ shown }) => shown.notes))].slice(
      0,
      MOST_NOTES,
    ),
  };
}

/** What a row may take in this variant. Above 70 % of the limit a page that hardly ever runs may be taken like any silent one. */
function allowanceOf(row: ClientRow, variant: Cast['variant'], times: Times): Allowance {
  const isMostlyAsleep = row.expect.is === 'left-alone' && row.atAnyFill !== true;
  const expect: Expectation = isMostlyAsleep && variant === '20/20' ? { is: 'info' } : row.expect;
  const releaseMs = scaled(times, RELEASE_MS) + times.slackMs;
  const isZombie = expect.is === 'noticed' && expect.bound === 'A80';
  return {
    expect,
    boundMs: expect.is === 'noticed' ? boundMs(times, expect.bound, shareOf(variant)) : 0,
    releaseMs,
    socketReleaseMs: releaseMs + (isZombie ? scaled(times, PASS_MS) : 0),
    ownReconnects: row.mayReconnect ?? 0,
  };
}

/** Whatever one of them says when it ends, the others end too. */
async function disposeAll(casts: readonly Cast[]): Promise<void> {
  await Promise.allSettled(casts.map(({ subject }) => subject[Symbol.asyncDispose]()));
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 1_000);
