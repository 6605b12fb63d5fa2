/** A gateway under a storm, beside a neighbour, and what is left of both when it is over. */

import { Lab } from '../support/lab/lab.ts';
import { seeded } from '../support/lab/seeded.ts';
import { connectionsTo, until } from '../support/peers/kernel.ts';
import { StormNeighbour } from './neighbour.ts';
import { type StormReport, storm } from './storm.ts';
import { PieceMaker } from './wire-bytes.ts';

export interface GatewayReport extends StormReport {
  readonly tookMs: number;
  /** Bytes of heap and buffers after garbage was collected: when it had settled, and at the end. */
  readonly heldBefore: number;
  readonly heldAfter: number;
  readonly calm: Latency;
  readonly stormy: Latency;
  readonly neighbour: { readonly events: number; readonly answers: number };
  /** Everything that is not as it must be. */
  readonly findings: readonly string[];
}

export interface Latency {
  readonly checks: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface GatewayFuzz {
  readonly inputs: number;
  readonly seed: number;
  /** Inputs of a first storm after which the process has the size that it needs for its work. */
  readonly warmUp: number;
  readonly width?: number;
  tell?(text: string): void;
}

const STRANGERS = 40;
const CALM_MS = 1_500;
const SETTLED_WITHIN_MS = 60_000;
const GROWTH_MAX = 0.1;
/** Below this a difference is what a garbage collector leaves, whatever share it is. */
const GROWTH_FLOOR_BYTES = 1_000_000;
/** How long the neighbour may wait for the answer to a frame while the machine is busy with the storm itself. */
const WAIT_MAX_MS = 2_000;
const OPTIONS = {
  // Strangers vanish without a word; what they leave behind must be gone soon for the end to be judged.
  resume: { windowMs: 1_000 },
  cleanup: { passMs: 500 },
  health: { helloMs: 1_000 },
  // All of them come from one machine, and none may be kept out.
  rate: { upgradesPer10s: 1_000_000 },
  limits: { perUser: 200 },
} as const;

export async function fuzzGateway({ inputs, seed, warmUp, width = 48, tell = () => {} }: GatewayFuzz): Promise<GatewayReport> {
  const random = seeded(seed);
  const pieces = new PieceMaker(random, seed);
  await using lab = await Lab.start({ options: OPTIONS });
  const port = Number(new URL(lab.url).port);
  const tokens = await Promise.all(Array.from({ length: STRANGERS }, (_, i) => lab.token(`stranger-${i}`)));
  await using neighbour = await StormNeighbour.start(lab.wsUrl, await lab.token('neighbour'), 'own');
  await lab.tell({ do: 'offer', to: [{ user: 'neighbour', thread: 'own' }], everyMs: 200 });

  const findings: string[] = [];
  const run = (count: number): Promise<StormReport> => storm({ port, inputs: count, random, pieces, tokens, width, isOver: () => lab.hasEnded });
  /** Waits until only the neighbour is left; what else is there after long enough is a finding. */
  const settled = async (): Promise<void> => {
    let left = '';
    const isAlone = async (): Promise<boolean> => {
      const { seats, sockets } = (await lab.status()).factory;
      left = `${connectionsTo(port)} connections, ${sockets} sockets, ${seats} seats`;
      return left === '1 connections, 1 sockets, 1 seats';
    };
    await until('the end', isAlone, SETTLED_WITHIN_MS, 100).catch(() => findings.push(`left behind: ${left}`));
  };
  const over = (report: StormReport, tookMs: number): GatewayReport => {
    const nothing = { checks: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
    const ends = lab.troubles.map(({ event, message }) => `${event}: ${message}`);
    return {
      ...report,
      tookMs,
      heldBefore: 0,
      heldAfter: 0,
      calm: nothing,
      stormy: nothing,
      neighbour: { events: 0, answers: 0 },
      findings: [...findings, ...ends],
    };
  };
  const first = await run(warmUp);
  if (lab.hasEnded) return over(first, 0);
  findings.push(...first.faults.map((fault) => `warm-up: ${fault}`));
  await settled();
  await neighbour.tell('rest');
  await new Promise((resolve) => setTimeout(resolve, CALM_MS));
  const calm = latency((await neighbour.tell('rest')).checkedMs);
  const heldBefore = await held(lab);
  tell(`settled after ${warmUp} inputs; the gateway holds ${megabytes(heldBefore)}`);

  const startedAt = performance.now();
  const report = await run(inputs);
  const tookMs = Math.round(performance.now() - startedAt);
  if (lab.hasEnded) return over(report, tookMs);
  await settled();
  const heldAfter = await held(lab);

  const said = await neighbour.tell();
  findings.push(...report.faults);
  findings.push(...said.holes.map((hole) => `the neighbour lost or doubled an event: ${hole}`));
  findings.push(...said.problems.map((problem) => `the neighbour was told ${problem}`));
  if (said.ended !== null) findings.push(`the neighbour's connection ended: ${said.ended}`);
  if (said.answers < said.questions - 1) findings.push(`the neighbour asked ${said.questions} times and was answered ${said.answers} times`);
  const stormy = latency(said.checkedMs);
  if (stormy.maxMs > WAIT_MAX_MS) findings.push(`the neighbour waited ${Math.round(stormy.maxMs)} ms for an answer`);
  const { factory } = await lab.status();
  const left = { seats: factory.seats, sockets: factory.sockets, effective: factory.effective, quarantined: factory.quarantined, queued: factory.queued };
  if (JSON.stringify(left) !== JSON.stringify({ seats: 1, sockets: 1, effective: 1, quarantined: 0, queued: 0 }))
    findings.push(`left at the end: ${JSON.stringify(left)}`);
  for (const difference of await lab.differences()) findings.push(`the books differ: ${JSON.stringify(difference)}`);
  for (const { severity, event, message } of lab.troubles) findings.push(`its log says ${severity} ${event}: ${message.slice(0, 200)}`);
  if (heldAfter - heldBefore > Math.max(GROWTH_FLOOR_BYTES, heldBefore * GROWTH_MAX))
    findings.push(`it grew from ${megabytes(heldBefore)} to ${megabytes(heldAfter)}`);
  return {
    ...report,
    tookMs,
    heldBefore,
    heldAfter,
    calm,
    stormy,
    neighbour: { events: said.events, answers: said.answers },
    findings: [...new Set(findings)],
  };
}

async function held(lab: Lab): Promise<number> {
  const { heapUsed, external } = await lab.memory();
  return heapUsed + external;
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function latency(took: readonly number[]): Latency {
  const sorted = [...took].sort((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { checks: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
