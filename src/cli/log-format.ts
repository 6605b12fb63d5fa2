import type { ServerOptions } from '../core/options.ts';
import { googleCloud } from './environment.ts';

/** How log lines are written here, and the project that Google Cloud files them under. */
export function logFormatOf(
  format: ServerOptions['logging']['format'],
  env: NodeJS.ProcessEnv,
): { readonly format: 'json' | 'gcp' | 'pretty'; readonly project: string | null } {
  const cloud = googleCloud(env);
  const auto = process.stdout.isTTY ? 'pretty' : cloud !== null ? 'gcp' : 'json';
  return { format: format === 'auto' ? auto : format, project: cloud?.project ?? null };
}
