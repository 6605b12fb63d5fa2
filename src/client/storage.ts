/** What survives a reload of the page. */

import type { Send } from '../protocol/frames.ts';
import type { ClientOptions } from './types.ts';

/** Claims a manager back. */
export interface ResumeClaim {
  readonly manager: string;
  readonly token: string;
}

export interface Kept {
  readonly resume: ResumeClaim | null;
  /** Messages not accepted yet, as they go on the wire. */
  readonly outbox: readonly Send[];
  /** Whose they are; nothing of one person is ever sent as another. */
  readonly user: string | null;
}

const NOTHING: Kept = { resume: null, outbox: [], user: null };

/** One tab's drawer in `sessionStorage`; where that is missing, full or forbidden, nothing is kept and all else works. */
export class Drawer {
  readonly #key: string;
  readonly #storage: Storage | null;
  #kept: Kept = NOTHING;

  constructor({ url, storage }: Pick<ClientOptions, 'url' | 'storage'>) {
    // One for each gateway that a page speaks to. What stands behind `?` may be a ticket and is no part of its name.
    this.#key = `spillway:${typeof url === 'function' ? '' : String(url).split('?')[0]}`;
    this.#storage = storage === 'none' ? null : sessionStorageOrNull();
    this.#kept = this.#read();
  }

  get kept(): Kept {
    return this.#kept;
  }

  put(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    try {
      if (this.#kept.resume === null && this.#kept.outbox.length === 0) this.#storage?.removeItem(this.#key);
      else this.#storage?.setItem(this.#key, JSON.stringify(this.#kept));
    } catch {
      // Full or forbidden: what is kept in memory still goes out, only a reload would lose it.
    }
  }

  #read(): Kept {
    try {
      const kept = JSON.parse(this.#storage?.getItem(this.#key) ?? 'null') as Kept | null;
      return Array.isArray(kept?.outbox) ? { ...NOTHING, ...kept } : NOTHING;
    } catch {
      // Not ours or not readable: as if there were nothing.
      return NOTHING;
    }
  }
}

function sessionStorageOrNull(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    // Forbidden by the browser's settings, or no page at all.
    return null;
  }
}
