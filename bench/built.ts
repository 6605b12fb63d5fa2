import { copyFileSync, cpSync, existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryFolder } from './temporary.ts';

/** A built package in a folder of its own, so that a build while it runs changes nothing of what is measured. */
export class BuiltCopy implements Disposable {
  readonly folder: string;
  readonly #temporary: TemporaryFolder;

  /** Throws where `root` was not built. */
  constructor(root: string) {
    const dist = join(root, 'dist');
    if (!existsSync(join(dist, 'index.js'))) throw new Error('Expected a built package, got none in dist; run: npm run build');
    this.#temporary = new TemporaryFolder();
    this.folder = this.#temporary.path;
    cpSync(dist, join(this.folder, 'dist'), { recursive: true, filter: (path) => path !== join(dist, 'web') && path !== join(dist, '.tsbuild') });
    copyFileSync(join(root, 'package.json'), join(this.folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  [Symbol.dispose](): void {
    this.#temporary[Symbol.dispose]();
  }
}
