/** The client's events. */

import type { ClientEvents } from './types.ts';

type Listener = (event: never) => void;

/** Tells everybody who listens. */
export type Emit = <K extends keyof ClientEvents>(name: K, event: ClientEvents[K]) => void;

/** Tells listeners in the order in which they came. One that throws stops nobody: its error becomes an `error` event. */
export class Emitter {
  readonly #listeners = new Map<keyof ClientEvents, Set<Listener>>();

  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void, signal?: AbortSignal): () => void {
    // Wrapped, so that one function added twice is two listeners.
    const entry: Listener = (event) => listener(event);
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    if (!signal?.aborted) set.add(entry);
    const off = (): void => {
      set.delete(entry);
      signal?.removeEventListener('abort', off);
    };
    signal?.addEventListener('abort', off);
    return off;
  }

  readonly emit: Emit = (name, event) => {
    const set = this.#listeners.get(name);
    if (name === 'error' && !set?.size) {
      // Nobody asked for errors: where the runtime has a place for uncaught ones, they go there. Node has none that does not end the process.
      (globalThis as { reportError?: (error: unknown) => void }).reportError?.(event);
      return;
    }
    for (const listener of [...(set ?? [])]) {
      try {
        listener(event as never);
      } catch (error) {
        // An `error` listener that throws is not asked again about its own error.
        if (name !== 'error') this.emit('error', error);
      }
    }
  };
}
