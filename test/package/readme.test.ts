import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/cli.ts';

const root = new URL('../..', import.meta.url).pathname;
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Code blocks of a language, in order. */
const blocks = (language: string): string[] => [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map((match) => match[1] as string);

test('every TypeScript block of the README type-checks against the built package', () => {
  expect(existsSync(join(root, 'dist/index.js')), 'the package is built').toBe(true);
  // Inside the package, so that `spillway/…` resolves to its own exports.
  const folder = mkdtempSync(join(root, 'node_modules', '.readme-'));
  try {
    const files = [...blocks('ts').map((code, i) => [`block-${i}.ts`, code] as const), ...blocks('tsx').map((code, i) => [`block-${i}.tsx`, code] as const)];
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const [name, code] of files) writeFileSync(join(folder, name), code);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable', 'esnext.disposable'],
          module: 'nodenext',
          strict: true,
          noEmit: true,
          skipLibCheck: true,
          types: ['node', 'react'],
          jsx: 'react-jsx',
          paths: {
            spillway: [join(root, 'dist/index.d.ts')],
            'spillway/client': [join(root, 'dist/client/index.d.ts')],
            'spillway/react': [join(root, 'dist/integrations/react.d.ts')],
            'spillway/sqlite': [join(root, 'dist/stores/sqlite/store.d.ts')],
          },
        },
        include: ['*.ts', '*.tsx'],
      }),
    );
    const tsc = createRequire(import.meta.url)
      .resolve('typescript/package.json')
      .replace('package.json', 'bin/tsc');
    try {
      execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      throw new Error(`A block of the README does not type-check:\n${(error as { stdout: string }).stdout}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the server of the README runs under the name that it is given there, in what `npm init -y` makes', () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'package.json'), '{ "name": "app", "type": "commonjs" }');
  mkdirSync(join(folder.path, 'node_modules'));
  symlinkSync(root, join(folder.path, 'node_modules', 'spillway'));
  const name = /As `(server\.\w+)`, started with `node \1`/.exec(readme)?.[1] ?? '';
  const [code = ''] = blocks('ts').filter((block) => block.includes('createGateway'));
  const end = "server.once('listening', () => { console.log('listening'); process.exit(0); });";
  writeFileSync(join(folder.path, name), `${code.replace('listen(8787', 'listen(0')}\n${end}\n`);
  expect(execFileSync(process.execPath, [name], { cwd: folder.path, encoding: 'utf8' })).toBe('listening\n');
});

test('every command of the README is one that the program knows', () => {
  const help = (args: readonly string[]): string => execFileSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args, '--help'], { encoding: 'utf8' });
  const commands = blocks('sh').flatMap((block) =>
    [...block.matchAll(/npx spillway ([a-z ]+?)(?= --| -c|\s+#| [a-z]+\.|$)/gm)].map((match) => (match[1] as string).trim().split(' ')),
  );
  expect(commands.length).toBeGreaterThanOrEqual(4);
  for (const command of commands) expect(help(command), command.join(' ')).toMatch(/Usage: spillway/);
});
