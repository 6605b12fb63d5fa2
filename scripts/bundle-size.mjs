/** Prints what the client costs a page, minified and gzipped, and fails over its budget. Run after the build. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/** Three quarters of what the smallest comparable client weighs. */
const BUDGETS = [{ name: 'spillway/client', entry: '../dist/client/index.js', maxBytes: 10_000, external: [] }];

let failed = false;
for (const { name, entry, maxBytes, external } of BUDGETS) {
  const file = fileURLToPath(new URL(entry, import.meta.url));
  await readFile(file).catch(() => {
    throw new Error(`Expected ${file}, which \`npm run build\` makes.`);
  });
  const result = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: true,
      target: 'es2023',
      lib: { entry: file, formats: ['es'], fileName: 'client' },
      rollupOptions: { external },
    },
  });
  const chunks = [result].flat().flatMap((bundle) => bundle.output.filter((part) => part.type === 'chunk'));
  const code = chunks.map((chunk) => chunk.code).join('');
  const outside = chunks.flatMap((chunk) => chunk.imports).filter((id) => !external.includes(id));
  if (outside.length > 0) throw new Error(`Expected ${name} to stand alone, but it imports ${outside.join(', ')}.`);
  const bytes = gzipSync(code, { level: 9 }).length;
  const isOver = bytes > maxBytes;
  failed ||= isOver;
  console.log(`${name}: ${bytes} bytes gzipped (${code.length} minified), budget ${maxBytes}${isOver ? ': OVER' : ''}`);
}
if (failed) process.exitCode = 1;
