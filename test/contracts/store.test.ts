import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { sqliteStore } from '../../src/stores/sqlite/store.ts';
import { storeContract } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'spillway-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

storeContract({ name: 'memory', open: async (o) => memoryStore(o) });
storeContract({ name: 'sqlite', open: (o) => sqliteStore({ ...o, file: join(folder, `${++files}.sqlite`) }) });
