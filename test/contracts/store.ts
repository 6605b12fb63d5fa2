import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Random } from '../../src/ports/random.ts';
import type { Store } from '../../src/ports/store.ts';
import { HandClock } from './hand-clock.ts';
import { credentialContract } from './store-credentials.ts';
import { historyContract } from './store-histories.ts';
import { logContract } from './store-log.ts';
import { retentionContract } from './store-retention.ts';
import { sharingContract } from './store-sharing.ts';
import { threadContract } from './store-threads.ts';

/** How to make one implementation of the port. */
export interface StoreKind {
  readonly name: string;
  /** Why there is none here, or null. */
  readonly missing?: () => string | null;
  open(o: { readonly clock: HandClock; readonly random?: Random }): Promise<OpenedStore>;
}
/** `another`: the same data as another process sees it; null for a store that serves one process alone. */
export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  readonly another: Store | null;
}

/** What a part of the suite is given: one store and its clock, shared by its tests. */
export interface StoreBench extends Omit<OpenedStore, typeof Symbol.asyncDispose> {
  readonly clock: HandClock;
}

/** What every store promises, whatever keeps its data. */
export function storeContract(kind: StoreKind): void {
  describe(kind.name, () => {
    beforeEach((context) => {
      const missing = kind.missing?.() ?? null;
      if (missing !== null) context.skip(missing);
    });
    const parts = { logContract, retentionContract, threadContract, credentialContract, sharingContract, historyContract };
    for (const part of Object.values(parts)) part(benchOf(kind));
  });
}

/** A store for the tests of the surrounding `describe`, opened before them and closed after. */
const benchOf = (kind: StoreKind) => (): (() => StoreBench) => {
  const clock = new HandClock();
  let opened: OpenedStore | undefined;
  beforeAll(async () => {
    if ((kind.missing?.() ?? null) === null) opened = await kind.open({ clock });
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());
  return () => {
    if (opened === undefined) throw new Error('Expected the store to be open; ask for it inside a test.');
    return { store: opened.store, another: opened.another, clock };
  };
};
