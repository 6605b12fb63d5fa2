// One row of the network, ten times as fast and in a short window, in a process of its own: it enters a private network. Prints its result
// as one JSON line, the last.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enterPrivateNetwork } from './makers/net-enter.ts';
import { tryNeeds } from './needs.ts';
import type { Row } from './row.ts';
import { rowsOf } from './rows/index.ts';
import { runRows } from './runner.ts';

const WINDOW_MS = 50_000;

const network = await enterPrivateNetwork();
const folder = mkdtempSync(join(tmpdir(), 'spillway-faults-'));
const rows = rowsOf(['C00', 'F03b']).map((row): Row => (row.phase === 'clients' ? { ...row, windowMs: WINDOW_MS } : row));
const found = await tryNeeds(rows, network);
const { results } = await runRows({ rows, timing: 'fast', folder, found, host: network.is === 'private' ? '0.0.0.0' : '127.0.0.1', say: () => {} });
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify(results.find(({ key }) => key === 'F03b'))}\n`);
process.exit(0);
