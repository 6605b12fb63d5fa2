import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { HostedClient } from './clients/host.ts';
import { pressureNow } from './machine.ts';
import type { Times } from './row.ts';

/** What the machine allowed this run to measure. */
export interface GateReading {
  readonly passed: boolean;
  /** What it failed for; empty if it passed. */
  readonly why: string;
  readonly controlP99Ms: number;
  readonly controlEvents: number;
  readonly harnessDelayMs: number;
  readonly longestClientStallMs: number;
  readonly longestInjectionMs: number;
  readonly load: number;
  readonly cpuPressure: number | null;
}

const CONTROL_P99_MS = 1_000;
const HARNESS_DELAY_MS = 1_000;
const FAST_HARNESS_DELAY_MS = 200;
const INJECTION_MS = 500;
const RESOLUTION_MS = 10;

/** Whether lateness of this run may be held against the gateway. */
export class LoadGate {
  readonly injectionsMs: number[] = [];
  readonly #times: Times;
  readonly #controls: () => readonly HostedClient[];
  readonly #stalls: () => readonly { readonly from: number; readonly to: number }[];
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #from: readonly number[] = [];

  constructor(times: Times, controls: () => readonly HostedClient[], stalls: () => readonly { readonly from: number; readonly to: number }[]) {
    this.#times = times;
    this.#controls = controls;
    this.#stalls = stalls;
  }

  /** From now on it counts. */
  open(): void {
    this.#from = this.#controls().map(({ lateMs }) => lateMs.length);
    this.injectionsMs.length = 0;
    this.#delay.reset();
    this.#delay.enable();
  }

  read(): GateReading {
    const late = this.#controls()
      .flatMap(({ lateMs }, i) => lateMs.slice(this.#from[i] ?? 0))
      .sort((a, b) => a - b);
    const controlP99Ms = late[Math.floor(late.length * 0.99)] ?? Number.POSITIVE_INFINITY;
    const harnessDelayMs = Math.round(this.#delay.max / 1e6);
    const longestInjectionMs = Math.round(Math.max(0, ...this.injectionsMs));
    const isFast = this.#times.divisor > 1;
    const why = [
      [controlP99Ms > CONTROL_P99_MS / this.#times.divisor, `healthy clients got events up to ${controlP99Ms} ms late`],
      [harnessDelayMs > (isFast ? FAST_HARNESS_DELAY_MS : HARNESS_DELAY_MS), `this process was held up for ${harnessDelayMs} ms`],
      [longestInjectionMs > INJECTION_MS, `an injection took ${longestInjectionMs} ms`],
    ].flatMap(([isBad, text]) => (isBad === true ? [String(text)] : []));
    return {
      passed: why.length === 0,
      why: why.join(', '),
      controlP99Ms,
      controlEvents: late.length,
      harnessDelayMs,
      longestClientStallMs: Math.round(Math.max(0, ...this.#stalls().map(({ from, to }) => to - from))),
      longestInjectionMs,
      ...pressureNow(),
    };
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }
}
