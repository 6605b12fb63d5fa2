// What the stamps hold: one hash for what `npm ci` installs, one for everything a build reads. Plain Node 18, no dependencies.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const installStamp = join(root, 'node_modules', '.spillway-installed');
export const buildStamp = join(root, 'dist', '.stamp');

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist']);
const BUILD_READS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.base.json', 'scripts/build.mjs', 'src', 'web'];

export function installHash() {
  const hash = createHash('sha256');
  addFile(hash, 'package-lock.json');
  return hash.digest('hex');
}

export function sourcesHash() {
  const hash = createHash('sha256');
  for (const path of BUILD_READS) add(hash, path);
  return hash.digest('hex');
}

export function holds(stamp, value) {
  try {
    return readFileSync(stamp, 'utf8') === value;
  } catch {
    return false; // No stamp: never installed or built.
  }
}

function add(hash, path) {
  if (!existsSync(join(root, path))) return;
  if (path.includes('.')) return addFile(hash, path);
  addFolder(hash, path);
}

function addFolder(hash, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) addFolder(hash, path);
    else if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) addFile(hash, path);
  }
}

function addFile(hash, path) {
  hash
    .update(`${path}\0`)
    .update(readFileSync(join(root, path)))
    .update('\0');
}
