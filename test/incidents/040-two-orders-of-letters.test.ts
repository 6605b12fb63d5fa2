/** A Redis ran in a language whose dictionary puts `a` before `B`. Conversations of one instant were read in pages: the server put them in the
 *  order of their bytes, and the script that goes on behind the last page compared them by the dictionary. Some were left out. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { UserId } from '../../src/protocol/ids.ts';
import { redisStore } from '../../src/stores/redis/store.ts';
import { entry, key, message, Writer } from '../contracts/store-builders.ts';
import { redisTool, startRedis } from '../support/redis.ts';

const THREADS = ['A', 'a', 'B', 'b', 'C', 'c'];

it('every conversation is on one page, whatever language the server speaks', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-locale-'));
  try {
    const made = spawnSync('localedef', ['-i', 'en_US', '-f', 'ISO-8859-1', join(folder, 'en_US.ISO-8859-1')]);
    const missing = redisTool().missing ?? (made.status === 0 ? null : 'no locale can be made here: apt-get install locales');
    if (missing !== null) context.skip(missing);
    await using server = await startRedis({ env: { LOCPATH: folder, LC_ALL: 'en_US.ISO-8859-1' } });
    await using store = await redisStore({ url: server.url, deadlineMs: 2_000 });
    for (const thread of THREADS) {
      const writer = await Writer.claim(store.log, key('ada', thread));
      const asked = entry(1, { kind: 'message', at: 1_700_000_000_000 });
      await writer.send([asked], { title: thread, messages: [message(`m-${thread}`, 1, { createdAt: asked.at })] });
    }
    const read: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await store.threads.list('ada' as UserId, 1, cursor);
      read.push(...page.threads.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(read).toEqual(THREADS.toSorted().reverse());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
