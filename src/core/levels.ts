import type { Options } from './options.ts';

/** How far a cleanup may go, mildest first. Each level may take whom the one before may, and more. */
export const LEVELS = ['conservative', 'moderate', 'aggressive', 'force'] as const;
export type CleanupLevel = (typeof LEVELS)[number];

/** Whether `level` reaches at least as far as `other`. */
export const reaches = (level: CleanupLevel, other: CleanupLevel): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(other);

/** The most living managers one plan of this level may take, whatever the need. Force is bounded by its need: one an admission. */
export function liveQuota(level: CleanupLevel, o: Options): number {
  switch (level) {
    case 'conservative':
      return 0;
    case 'moderate':
      return o.cleanup.liveMaxModerate;
    case 'aggressive':
      return o.cleanup.liveMaxAggressive;
    case 'force':
      return Number.POSITIVE_INFINITY;
  }
}

/** How long a living victim's transport may take its farewell. */
export function lingerMs(level: CleanupLevel, o: Options): number {
  switch (level) {
    case 'conservative':
      return 0;
    case 'moderate':
      return o.cleanup.lingerModerateMs;
    case 'aggressive':
      return o.cleanup.lingerAggressiveMs;
    case 'force':
      return o.cleanup.lingerForceMs;
  }
}
