import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort, temporaryFolder } from '../support/cli.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name: string) => join(root, 'node_modules', name);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

const started = new Set<ChildProcess>();

function run(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' && command === 'npm' });
    started.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', reject);
    child.once('close', (code) => {
      started.delete(child);
      resolve({ code, output });
    });
  });
}

const node = (args: readonly string[], cwd: string) => run(process.execPath, args, cwd);
const evaluate = (code: string, cwd: string) => node(['--input-type=module', '--eval', code], cwd);

describe('the packed tarball', () => {
  const folder = temporaryFolder();
  const project = join(folder.path, 'project');
  let tarball = '';
  let install: Outcome = { code: null, output: '' };

  beforeAll(async () => {
    const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder.path], root);
    expect(packed.code, packed.output).toBe(0);
    tarball = join(folder.path, readdirSync(folder.path).find((name) => name.endsWith('.tgz')) ?? 'no tarball');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    const companions = ['react', '@types/react', '@types/node'].map((name) => `${name}@${manifest.devDependencies[name]}`);
    install = await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball, ...companions], project);
    return () => {
      for (const child of started) child.kill('SIGKILL');
      folder[Symbol.dispose]();
    };
  });

  it('installs into an empty project', () => {
    expect(install.code, install.output).toBe(0);
  });

  it('holds what is needed and nothing of the workshop', async () => {
    const { output } = await run('tar', ['-tzf', tarball], folder.path);
    const files = output.trim().split('\n');
    for (const needed of ['package/dist/index.js', 'package/dist/cli/main.js', 'package/dist/client/index.d.ts', 'package/dist/web/chat/index.html'])
      expect(files).toContain(needed);
    const scripts = readdirSync(join(root, 'src/stores/redis/lua'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lua'));
    for (const script of scripts) expect(files).toContain(`package/dist/stores/redis/lua/${script}`);
    expect(files.filter((file) => file.startsWith('package/docs/handbook/')).length).toBeGreaterThan(0);
    expect(files.filter((file) => /\.test\.|tsbuildinfo|\/\.|\.tsx?$/.test(file.replace(/\.d\.ts$/, '')))).toEqual([]);
  });

  it('gives the library, the client and the hooks to those who import them', async () => {
    const { code, output } = await evaluate(
      `import { createGateway, WebSocketManagerFactory } from 'spillway';
       import { createSpillway } from 'spillway/client';
       import { useThread } from 'spillway/react';
       import { sqliteStore } from 'spillway/sqlite';
       console.log([createGateway, WebSocketManagerFactory, createSpillway, useThread, sqliteStore].map((thing) => typeof thing).join());`,
      project,
    );
    expect(output).toBe('function,function,function,function,function\n');
    expect(code).toBe(0);
  });

  it('has an entry for every subpath that package.json names', async () => {
    const subpaths = Object.keys(manifest.exports).filter((name) => name !== './package.json');
    const { code, output } = await evaluate(subpaths.map((name) => `await import(${JSON.stringify(name.replace('.', 'spillway'))});`).join('\n'), project);
    expect(code, output).toBe(0);
  });

  it('loads no store driver before one is used', async () => {
    const { output } = await evaluate(
      `import { registerHooks } from 'node:module';
       const loaded = [];
       registerHooks({ resolve(name, context, next) { const found = next(name, context); loaded.push(found.url); return found; } });
       const { WebSocketManagerFactory } = await import('spillway');
       await new WebSocketManagerFactory()[Symbol.asyncDispose]();
       console.log(loaded.filter((url) => /better-sqlite3|ioredis/.test(url)).join() || 'none');`,
      project,
    );
    expect(output).toBe('none\n');
  });

  it.each(['node16', 'bundler'])('is typed for module resolution %s', async (moduleResolution) => {
    const compilerOptions = {
      target: 'es2023',
      module: moduleResolution === 'bundler' ? 'esnext' : 'node16',
      moduleResolution,
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
      lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable', 'esnext.disposable'],
      jsx: 'react-jsx',
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.tsx'] }));
    writeFileSync(
      join(project, 'app.tsx'),
      `import { createServer } from 'node:http';
       import { createGateway, type Admission, WebSocketManagerFactory } from 'spillway';
       import { createSpillway } from 'spillway/client';
       import { SpillwayProvider, useThread } from 'spillway/react';
       import { sqliteStore } from 'spillway/sqlite';

       const gateway = createGateway({
         authenticate: (request) => (request.headers.get('authorization') === 'Bearer x' ? { userId: 'u1', tier: 'mid' } : null),
         agent: async function* ({ signal }) {
           yield { type: 'agent_started', agent_name: 'parrot' };
           if (!signal.aborted) yield { type: 'text_delta', text: 'hello' };
           yield { type: 'agent_completed', status: 'completed' };
         },
         store: await sqliteStore({ file: 'x.sqlite' }),
         limits: { perUser: 20, burst: { forMs: 60_000 } },
       });
       const server = createServer(gateway.handler);
       const detach: () => void = gateway.attach(server);
       const factory = new WebSocketManagerFactory({ limits: { perUser: 3 } });
       export const kind = (admission: Admission): 'seated' | 'queued' | 'retry' => admission.kind;
       const client = createSpillway({ url: '/v1/ws', getToken: () => 'x' });
       function Chat() { return <p>{useThread('t1').messages.length}</p>; }
       export const page = <SpillwayProvider client={client}><Chat /></SpillwayProvider>;
       detach();
       await factory[Symbol.asyncDispose]();
       // @ts-expect-error an option that does not exist
       createGateway({ authenticate: () => null, agent: async function* () {}, limits: { perUsr: 3 } });
      `,
    );
    const { code, output } = await node([bin('typescript/bin/tsc'), '-p', '.'], project);
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('brings a program that starts and stops', async () => {
    const main = join(project, 'node_modules', 'spillway', 'dist', 'cli', 'main.js');
    expect(await node([main, '--version'], project)).toEqual({ code: 0, output: `${manifest.version}\n` });
    const port = await freePort();
    const child = spawn(process.execPath, [main, 'dev', '--no-open', '--port', String(port)], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
    started.add(child);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const banner = await new Promise<string>((resolve) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.includes('/v1/ws')) resolve(text);
      });
      child.once('close', () => resolve(text));
    });
    expect(banner).toContain(`http://127.0.0.1:${port}/ `);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('is clean by publint', async () => {
    const { code, output } = await node([bin('publint/src/cli.js'), tarball, '--strict'], root);
    expect(code, output).toBe(0);
  });

  it('is clean by "are the types wrong"', async () => {
    const { code, output } = await node([bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'], root);
    expect(code, output).toBe(0);
  });
});
