import { type CleanupLevel, LEVELS } from '../core/levels.ts';
import type { CleanupReport } from '../ports/events.ts';

/** The furthest level that a cleanup pass ran. */
export function deepest({ levels }: CleanupReport): CleanupLevel {
  return levels.reduce<CleanupLevel>((most, { level }) => (LEVELS.indexOf(level) > LEVELS.indexOf(most) ? level : most), 'conservative');
}
