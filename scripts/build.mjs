// Builds dist/: all layers by `tsc -b`, web pages by Vite, and what needs no compiler by copying.  node scripts/build.mjs [--clean]
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildStamp, root, sourcesHash } from './fingerprint.mjs';

const dist = join(root, 'dist');
const PAGES = ['chat', 'dashboard'];

const hash = sourcesHash();
rmSync(buildStamp, { force: true }); // A build that fails half-way is not a build.
// Deleted sources leave their output behind; what is published starts from nothing.
if (process.argv.includes('--clean')) rmSync(dist, { recursive: true, force: true });

run('typescript/bin/tsc', ['-b', ...(process.stdout.isTTY ? ['--pretty'] : [])]);
copyTexts(join(root, 'src'), dist);
for (const page of PAGES) buildPage(page);
chmodSync(join(dist, 'cli', 'main.js'), 0o755);
// Prints the size of the client; that it stays within its budget is for a test to say.
spawnSync(process.execPath, [join(root, 'scripts', 'bundle-size.mjs')], { cwd: root, stdio: 'inherit' });
writeFileSync(buildStamp, hash);
printSizes();

function run(bin, args) {
  runFile(join(root, 'node_modules', bin), args);
}

function runFile(file, args) {
  const { status } = spawnSync(process.execPath, [file, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Handbook texts, SQL: everything in the sources that is neither code nor its configuration. */
function copyTexts(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTexts(source, target);
    else if (!['.ts', '.tsx'].includes(extname(entry.name)) && entry.name !== 'tsconfig.json') {
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(source, target);
    }
  }
}

function buildPage(name) {
  const folder = join(root, 'web', name);
  if (!existsSync(join(folder, 'vite.config.ts'))) return;
  run('typescript/bin/tsc', ['-p', folder, '--noEmit']);
  run('vite/bin/vite.js', ['build', folder, '--outDir', join(dist, 'web', name), '--emptyOutDir', '--logLevel', 'warn']);
}

function printSizes() {
  const folders = readdirSync(dist, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'web');
  const library = folders.flatMap(({ name }) => files(join(dist, name))).filter((file) => file.endsWith('.js'));
  console.log(`library   ${kilobytes(size(library))} in ${library.length} files`);
  for (const page of PAGES) {
    const scripts = files(join(dist, 'web', page)).filter((file) => /\.(js|css)$/.test(file));
    if (scripts.length > 0)
      console.log(
        `web/${page}  ${kilobytes(size(scripts))}, ${kilobytes(scripts.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0))} gzipped`,
      );
  }
}

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));
}

function size(paths) {
  return paths.reduce((sum, file) => sum + statSync(file).size, 0);
}

function kilobytes(bytes) {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}
