/** One tab, one manager. */

/** A reload may find the lock of its own last life; a duplicated tab finds it held for good. */
const WAIT_FOR_LAST_LIFE_MS = 200;

/** Holds the name of the manager that this tab uses, so that a duplicated tab, which has a copy of the resume token, takes a new
 *  manager and does not fight for this one. Where there are no Web Locks the gateway's take-over decides. */
export class ManagerLock {
  #held: string | null = null;
  #release = (): void => {};

  /** False if another tab uses this manager. Always true outside a page: nothing there is duplicated with its storage. */
  async take(manager: string): Promise<boolean> {
    if (this.#held === manager || typeof document === 'undefined' || !navigator.locks) return true;
    this.release();
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(WAIT_FOR_LAST_LIFE_MS);
      navigator.locks
        .request(`spillway:${manager}`, { signal }, () => {
          this.#held = manager;
          resolve(true);
          return new Promise<void>((release) => {
            this.#release = release;
          });
        })
        // Aborted: somebody else holds it.
        .catch(() => resolve(false));
    });
  }

  release(): void {
    this.#release();
    this.#held = null;
  }
}
