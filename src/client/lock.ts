/** One tab, one manager. */

/** A reload may find the lock of its own last life; a duplicated tab finds it held for good. On a busy machine even a free lock takes
 *  its time, and giving up too early costs a seat. */
const WAIT_FOR_LAST_LIFE_MS = 1_000;

/** Holds the name of the manager that this tab uses, so that a duplicated tab, which has a copy of the resume token, takes a new
 *  manager and does not fight for this one. Where there are no Web Locks the gateway's take-over decides. */
export class ManagerLock {
  #held: string | null = null;
  #release = (): void => {};

  /** Waits until this tab holds the name. With `isClaim` it waits a second at most, and false says that another tab uses that manager.
   *  Always true outside a page: nothing there is duplicated with its storage. */
  async take(manager: string, isClaim: boolean): Promise<boolean> {
    if (this.#held === manager || !globalThis.document || !navigator.locks) return true;
    this.release();
    return new Promise((resolve) => {
      const hold = (): Promise<void> => {
        this.#held = manager;
        resolve(true);
        return new Promise((release) => {
          this.#release = release;
        });
      };
      navigator.locks
        .request(`spillway:${manager}`, isClaim ? { signal: AbortSignal.timeout(WAIT_FOR_LAST_LIFE_MS) } : {}, hold)
        // Not in time: somebody else holds it.
        .catch(() => resolve(false));
    });
  }

  release(): void {
    this.#release();
    this.#held = null;
  }
}
