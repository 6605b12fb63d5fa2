// Writes what operators need from its one source each.  node scripts/generate-operations.mjs [--check]
// `--check` writes nothing and fails if a file is not what it would write.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './fingerprint.mjs';
import { operationsFiles } from './operations/files.mjs';

for (const [path, text] of operationsFiles()) {
  const file = join(root, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (read(file) !== text) {
    console.error(`${path} is not what its source says. Run: node scripts/generate-operations.mjs`);
    process.exitCode = 1;
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Not written yet.
  }
}
