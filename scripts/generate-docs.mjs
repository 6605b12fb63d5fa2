// Writes the pages of docs/ that are made from the code.  node scripts/generate-docs.mjs [--check]
// `--check` writes nothing and fails if a page is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage } from './docs/cli-page.mjs';
import { closeCodesPage } from './docs/close-codes-page.mjs';
import { errorsPage } from './docs/errors-page.mjs';
import { eventsPage } from './docs/events-page.mjs';
import { metricsPage } from './docs/metrics-page.mjs';
import { optionsPage } from './docs/options-page.mjs';
import { root } from './fingerprint.mjs';

const PAGES = {
  'options.md': optionsPage,
  'metrics.md': metricsPage,
  'events.md': eventsPage,
  'close-codes.md': closeCodesPage,
  'errors.md': errorsPage,
  'cli.md': cliPage,
};

const isCheck = process.argv.includes('--check');
for (const [name, write] of Object.entries(PAGES)) {
  const file = join(root, 'docs', name);
  const page = write();
  if (!isCheck) {
    writeFileSync(file, page);
  } else if (read(file) !== page) {
    console.error(`docs/${name} is not what the code says. Run: npm run docs`);
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
