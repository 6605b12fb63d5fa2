import type { Machine } from '../machine.ts';
import { median } from '../statistics.ts';
import type { Profile } from './profile.ts';

export type Screen = 'overview' | 'list';

/** One screen, measured in pairs of windows: with nobody watching, and with one page watching. */
export interface ScreenResult {
  /** Of a core, in each pair of windows. */
  readonly off: readonly number[];
  readonly on: readonly number[];
  readonly bytesPerS: number;
  readonly updatesPerS: number;
  /** The first answer, with everything in it. */
  readonly firstBytes: number;
  readonly changesPerS: number;
  readonly slices: {
    readonly count: number;
    /** All of them together, as a share of a core, by the CPU time of the main thread. */
    readonly cpuShare: number;
    readonly p99WallMs: number;
    readonly maxWallMs: number;
    readonly p99CpuMs: number;
    readonly maxCpuMs: number;
    /** Slices that took longer than was promised, by the clock and by the CPU time of their thread. */
    readonly overWall: number;
    readonly overCpu: number;
  };
  readonly profile: Profile;
}

/** The page in a real browser. */
export interface BrowserResult {
  readonly screen: string;
  /** CPU time of the page's main thread for each update. */
  readonly msPerUpdate: number;
  readonly updatesPerS: number;
  readonly frameP50Ms: number;
  readonly frameP99Ms: number;
  readonly frameMaxMs: number;
  /** Tasks of more than 50 ms. */
  readonly longTasks: number;
  readonly heapMiB: number;
}

export interface Result {
  readonly at: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly node: string;
  readonly managers: number;
  readonly windowS: number;
  readonly windows: number;
  /** Of the cores' time that other programs used, at most. */
  readonly othersShare: number;
  readonly fillMs: number;
  readonly rssMiB: number;
  readonly screens: Readonly<Record<Screen, ScreenResult>>;
  /** Work of the live topics in the profile while nobody watched, as a share of a core. */
  readonly nobodyShare: number;
  readonly browser: readonly BrowserResult[];
}

/** What is promised. */
export const GOALS = { overview: 0.01, list: 0.03, sliceMs: 5, updateMs: 16 } as const;

/** What a watching page cost, in each pair of windows, as a share of a core. */
export const costs = ({ off, on }: Pick<ScreenResult, 'off' | 'on'>): readonly number[] => on.map((share, index) => share - (off[index] ?? 0));

export const costOf = (screen: ScreenResult): number => median(costs(screen));
