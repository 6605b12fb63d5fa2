import type { SpillwayEvents } from '../ports/events.ts';

export type {
  AdmissionRecord,
  CleanupReport,
  KeptRecord,
  LevelResult,
  QuarantinedSocket,
  RegretRecord,
  SeatedHow,
  VictimRecord,
} from '../ports/events.ts';

/** What a factory tells of; `ports/events.ts` says what each event means. */
export type FactoryEvents = SpillwayEvents;

type Listener<T> = (event: T) => void;

/** Listeners by event. One that throws is reported and harms nobody. */
export class FactoryEmitter {
  /** Lists are replaced, never changed, so that whoever is told may leave; none is empty. */
  readonly #listeners = new Map<keyof FactoryEvents, readonly Listener<never>[]>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Returns the undo. */
  on<N extends keyof FactoryEvents>(name: N, listener: Listener<FactoryEvents[N]>): () => void {
    // Its own, so that the same function may listen twice.
    const own: Listener<never> = (event: FactoryEvents[N]) => listener(event);
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), own]);
    return () => {
      const left = (this.#listeners.get(name) ?? []).filter((other) => other !== own);
      if (left.length > 0) this.#listeners.set(name, left);
      else this.#listeners.delete(name);
    };
  }

  /** Whether anybody listens: where making the event costs more than asking. */
  hears(name: keyof FactoryEvents): boolean {
    return this.#listeners.has(name);
  }

  emit<N extends keyof FactoryEvents>(name: N, event: FactoryEvents[N]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        (listener as Listener<FactoryEvents[N]>)(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
