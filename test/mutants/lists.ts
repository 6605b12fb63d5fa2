import { readdirSync } from 'node:fs';
import type { Mutant } from './mutant.ts';

/** Every list of mutants in this folder: whatever a file exports under a name with MUTANTS in it. */
export async function allMutants(): Promise<readonly Mutant[]> {
  const folder = new URL('.', import.meta.url);
  const found: Mutant[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name === 'run.ts' || name === 'lists.ts') continue;
    const module = (await import(new URL(name, folder).href)) as Readonly<Record<string, unknown>>;
    for (const [key, value] of Object.entries(module)) if (key.includes('MUTANTS') && Array.isArray(value)) found.push(...(value as Mutant[]));
  }
  return found;
}
