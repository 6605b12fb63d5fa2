/** Prints what the client costs a page, minified and gzipped, and fails over its budget. Run after the build. */

import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/** Three quarters of what socket.io-client weighs. */
const MAX_BYTES = 10_000;

const client = fileURLToPath(new URL('../dist/client/index.js', import.meta.url));
await access(client).catch(() => {
  throw new Error(`Expected ${client}, which \`npm run build\` makes.`);
});

// Measured in a page that uses it: in library mode Vite leaves the whitespace of ES modules alone.
const folder = await mkdtemp(join(tmpdir(), 'spillway-bundle-'));
try {
  const page = join(folder, 'page.js');
  await writeFile(page, `import { createSpillway } from ${JSON.stringify(client)};\nglobalThis.connect = createSpillway;\n`);
  const result = await build({
    configFile: false,
    logLevel: 'error',
    root: folder,
    build: { write: false, target: 'es2023', modulePreload: false, rolldownOptions: { input: page } },
  });
  const chunks = result.output.filter((part) => part.type === 'chunk');
  const outside = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
  if (outside.length > 0) throw new Error(`Expected spillway/client to stand alone, but it imports ${outside.join(', ')}.`);
  const code = chunks.map((chunk) => chunk.code).join('');
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`spillway/client: ${bytes} bytes minified and gzipped, of at most ${MAX_BYTES}`);
  if (bytes > MAX_BYTES) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
