/** A store lost all its data, and for up to a minute nobody put the signing key of the gateways back. One that was started in that time
 *  with an empty folder offered its own: from then on there were two keys, and whoever moved from one gateway to another was a stranger
 *  there. Nobody was told. */

import { expect, test } from 'vitest';
import { type Ground, sharedGround } from '../../src/cli/ground.ts';
import { keepSharing } from '../../src/cli/keep-sharing.ts';
import type { ServerOptions } from '../../src/core/options.ts';
import type { Regained } from '../../src/managers/cluster/nodes.ts';
import type { Store } from '../../src/ports/store.ts';

const options = { data: 'memory', signingKey: null } as ServerOptions;
const groundOf = (byte: number): Ground => ({ signingKey: new Uint8Array(32).fill(byte), accounts: null, adminKey: { key: 'k', from: 'option' } });
const keyOf = ({ signingKey }: Ground): number => signingKey[0] ?? -1;

/** What gateways agree on, and who hears that it was lost. */
function scene() {
  const agreed = new Map<string, string>();
  const heard = new Set<(why: Regained) => void>();
  const told: string[] = [];
  const agree = async (name: string, proposal: string): Promise<string> => {
    if (!agreed.has(name)) agreed.set(name, proposal);
    return agreed.get(name) as string;
  };
  return {
    agreed,
    told,
    store: { cluster: { agree } } as unknown as Store,
    cluster: {
      onRegained(listener: (why: Regained) => void): () => void {
        heard.add(listener);
        return () => heard.delete(listener);
      },
    },
    telemetry: { record: ({ event }: { readonly event: string }) => void told.push(event) } as never,
    async regained() {
      for (const listener of heard) listener('epoch');
      await new Promise((resolve) => setImmediate(resolve));
    },
    heard,
  };
}

test('the key is put back as soon as the gateways know that the store has lost its data', async () => {
  const s = scene();
  const old = await sharedGround(groundOf(1), options, s.store);
  {
    using _keeping = keepSharing(old, options, s.store, s.cluster, s.telemetry);
    s.agreed.clear();
    await s.regained();
    expect(keyOf(await sharedGround(groundOf(2), options, s.store))).toBe(1);
    expect(s.told).toEqual([]);
  }
  expect(s.heard.size).toBe(0);
});

test('where another gateway was quicker, it is said, once', async () => {
  const s = scene();
  const old = await sharedGround(groundOf(1), options, s.store);
  using _keeping = keepSharing(old, options, s.store, s.cluster, s.telemetry);
  s.agreed.clear();
  expect(keyOf(await sharedGround(groundOf(2), options, s.store))).toBe(2);
  await s.regained();
  await s.regained();
  expect(s.told).toEqual(['signing-key-differs']);
});
