import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, type ToolName } from '../support/tools.ts';

/** Of the repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const DEPLOY = join(ROOT, 'deploy');

/** One check of what is in `deploy/`. It throws with what is wrong. */
export interface Check {
  readonly name: string;
  /** Programs without which it cannot be done; it is then skipped, loudly, and never passed. */
  readonly needs: readonly ToolName[];
  /** Resolves with what was seen, in a few words. */
  run(): Promise<string> | string;
}

export type Outcome = { readonly is: 'passed'; readonly detail: string } | { readonly is: 'failed' | 'skipped'; readonly detail: string };

export async function outcomeOf(check: Check): Promise<Outcome> {
  for (const tool of check.needs) {
    const { missing } = need(tool);
    if (missing !== null) return { is: 'skipped', detail: missing };
  }
  try {
    return { is: 'passed', detail: await check.run() };
  } catch (error) {
    return { is: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Runs a program to its end and gives what it printed. `fine`: exit codes that are no failure. @throws with that, for any other. */
export function run(
  tool: ToolName,
  args: readonly string[],
  { input, fine = [0] }: { readonly input?: string; readonly fine?: readonly number[] } = {},
): string {
  const { path, missing } = need(tool);
  if (path === null) throw new Error(missing);
  const { status, stdout, stderr, error } = spawnSync(path, args, { encoding: 'utf8', timeout: 60_000, ...(input === undefined ? {} : { input }) });
  const said = `${stdout ?? ''}${stderr ?? ''}`.trim();
  if (error !== undefined) throw error;
  if (status === null || !fine.includes(status)) throw new Error(`${tool} ${args.join(' ')} ended with ${status}:\n${said}`);
  return said;
}

/** A folder of its own, removed at the end. */
export function scratch(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'spillway-deploy-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
