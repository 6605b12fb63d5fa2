import type { Registry } from '../registry.ts';

/** A seat of this node that is spoken for. */
export interface KeptSeat {
  /** It counts no more: its holder has it by now, or nobody will. Once. */
  release(): void;
}

/** Seats of this node: those that managers hold, and those kept for admissions that are about to be given one. Kept before the store
 *  is asked, so that admissions of different users do not take the same one. */
export class NodeSeats {
  readonly #registry: Registry;
  readonly #freed: () => void;
  #kept = 0;

  /** `freed` hears of each kept seat that was let go. */
  constructor(registry: Registry, freed: () => void) {
    this.#registry = registry;
    this.#freed = freed;
  }

  get taken(): number {
    return this.#registry.size + this.#kept;
  }

  keep(): KeptSeat {
    this.#kept++;
    let isKept = true;
    return {
      release: () => {
        if (!isKept) return;
        isKept = false;
        this.#kept--;
        this.#freed();
      },
    };
  }
}
