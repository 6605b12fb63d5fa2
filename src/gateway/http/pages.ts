import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { SpillwayError } from '../../protocol/errors.ts';
import type { HttpEnv } from './http-env.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** Serves a folder of built pages: `index.html` at `/`, everything else under its own name. It is read once, here, so that no
 *  request ever names a file of this machine. Throws a `SpillwayError` if there is no `index.html`. */
export function pageRoutes(
  app: OpenAPIHono<HttpEnv>,
  { option, folder, prefix }: { readonly option: 'chatPages' | 'dashboardPages'; readonly folder: string; readonly prefix: string },
): void {
  const files = readFolder(option, folder);
  if (!files.includes('index.html'))
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected built pages with an index.html in \`${option}\`, got ${folder}. Build them first.`);
  for (const file of files) {
    const content = readFileSync(join(folder, file));
    const headers = {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      etag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
      // The build puts a hash of their contents into the names of assets.
      'cache-control': file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    app.get(`${prefix}/${file === 'index.html' ? '' : file}`, (c) =>
      c.req.header('if-none-match') === headers.etag ? c.body(null, 304, headers) : c.body(new Uint8Array(content), 200, headers),
    );
  }
}

function readFolder(option: string, folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
  } catch (error) {
    throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`${option}\` to be a folder that can be read: ${(error as Error).message}`, { cause: error });
  }
}
