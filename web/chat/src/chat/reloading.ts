/** Between a gap in the stream and the stored conversation that replaces it. */

import { useSyncExternalStore } from 'react';
import type { DebugEvent, SpillwayClient } from 'spillway/client';

export class Reloading {
  #isOn = false;
  readonly #listeners = new Set<() => void>();

  /** Told of every frame: a gap is what starts it. */
  readonly debug = (event: DebugEvent): void => {
    if (event.type === 'frame' && event.direction === 'in' && event.frame === 'gap') this.#set(true);
  };

  /** The client's gap event comes with the stored conversation. */
  watch(client: SpillwayClient): void {
    client.on('gap', () => this.#set(false));
    client.on('state', () => this.#set(false));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly isOn = (): boolean => this.#isOn;

  #set(isOn: boolean): void {
    if (this.#isOn === isOn) return;
    this.#isOn = isOn;
    for (const listener of this.#listeners) listener();
  }
}

export const useReloading = (reloading: Reloading): boolean => useSyncExternalStore(reloading.subscribe, reloading.isOn, () => false);
