import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { type OpenedStore, storeContract } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const opened = (store: Store, another: Store | null): OpenedStore => ({ store, another, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() });

storeContract({ name: 'memory', open: async (o) => opened(memoryStore(o), null) });
storeContract({
  name: 'memory of several nodes',
  open: async (o) => {
    const store = memoryStore({ ...o, cluster: true });
    return opened(store, store);
  },
});
storeContract({ name: 'sqlite', open: async (o) => opened(await sqliteStore({ ...o, file: join(folder, `${++files}.sqlite`) }), null) });
