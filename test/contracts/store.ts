import { afterAll, beforeAll, describe } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Store } from '../../src/ports/store.ts';
import { HandClock } from './hand-clock.ts';
import { credentialContract } from './store-credentials.ts';
import { historyContract } from './store-histories.ts';
import { logContract } from './store-log.ts';
import { retentionContract } from './store-retention.ts';
import { threadContract } from './store-threads.ts';

/** How to make one implementation of the port. */
export interface StoreKind {
  readonly name: string;
  open(o: { readonly clock: Clock; readonly random?: Random }): Promise<Store>;
}

/** What a part of the suite is given: one store and its clock, shared by its tests. */
export interface StoreBench {
  readonly store: Store;
  readonly clock: HandClock;
}

/** What every store promises, whatever keeps its data. */
export function storeContract(kind: StoreKind): void {
  describe(kind.name, () => {
    const parts = { logContract, retentionContract, threadContract, credentialContract, historyContract };
    for (const part of Object.values(parts)) part(benchOf(kind));
  });
}

/** A store for the tests of the surrounding `describe`, opened before them and closed after. */
const benchOf = (kind: StoreKind) => (): (() => StoreBench) => {
  const clock = new HandClock();
  let store: Store | undefined;
  beforeAll(async () => {
    store = await kind.open({ clock });
  });
  afterAll(() => store?.[Symbol.asyncDispose]());
  return () => {
    if (store === undefined) throw new Error('Expected the store to be open; ask for it inside a test.');
    return { store, clock };
  };
};
