import { type CleanupLevel, LEVELS } from '../../core/levels.ts';
import type { CleanupReport } from '../events.ts';
import type { ByLevel, FactoryStatus } from '../reports.ts';

const zeroes = (): Record<CleanupLevel, number> => ({ conservative: 0, moderate: 0, aggressive: 0, force: 0 });

/** What a factory has done since it was made. Each figure is changed at the state change itself. */
export class Counters {
  readonly #passes = zeroes();
  readonly #freed = zeroes();
  #evicted = 0;
  #zombies = 0;
  #emergencies = 0;
  #failed = 0;
  #regrets = 0;
  #heartbeat: number | null = null;
  #last: FactoryStatus['lastCleanup'] = null;

  /** A manager was found to be a zombie that was none before. */
  zombieDetected(): void {
    this.#zombies++;
  }

  /** A cleanup pass examined a user's managers at `level`. */
  levelRan(level: CleanupLevel): void {
    this.#passes[level]++;
  }

  /** A seat was taken from its manager. */
  seatTaken(level: CleanupLevel): void {
    this.#freed[level]++;
    this.#evicted++;
  }

  /** An evicted manager had been alive after all. */
  regretted(): void {
    this.#regrets++;
  }

  /** The background pass came to its end. `at`: milliseconds since the Unix epoch. */
  heartbeat(at: number): void {
    this.#heartbeat = at;
  }

  /** A pass ended. `at`: milliseconds since the Unix epoch. */
  cleanupEnded(report: CleanupReport, at: number): void {
    if (report.trigger === 'admission') this.#emergencies++;
    if (report.result === 'failed') this.#failed++;
    const freed = report.victims.length;
    if (freed > 0) this.#last = { at, level: deepestLevel(report), freed, durationMs: report.durationMs };
  }

  /** End of the last background pass, milliseconds since the Unix epoch; null before the first. */
  get heartbeatAt(): number | null {
    return this.#heartbeat;
  }

  get now(): Pick<
    FactoryStatus,
    'cleanupPasses' | 'freed' | 'emergencyCleanups' | 'failedCleanups' | 'zombiesDetected' | 'evicted' | 'regrets' | 'lastCleanup' | 'cleanupHeartbeat'
  > {
    return {
      cleanupPasses: copy(this.#passes),
      freed: copy(this.#freed),
      emergencyCleanups: this.#emergencies,
      failedCleanups: this.#failed,
      zombiesDetected: this.#zombies,
      evicted: this.#evicted,
      regrets: this.#regrets,
      lastCleanup: this.#last,
      cleanupHeartbeat: this.#heartbeat,
    };
  }
}

const copy = (counts: Record<CleanupLevel, number>): ByLevel => ({ ...counts });

/** How far a pass went. */
export function deepestLevel(report: CleanupReport): CleanupLevel {
  const depth = Math.max(0, ...report.levels.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[depth] ?? 'conservative';
}
