/** One value on which all tabs of this browser agree at any moment. `localStorage` is no such place: a tab may see another one's
 *  write late, even if a lock was handed over in between, and a refresh token that is used twice ends the sign-in. */

const NAME = 'spillway';
const STORE = 'account';
const KEY = 'credentials';

export class Vault<T> {
  #opening: Promise<IDBDatabase | null> | null = null;

  /** The last value that any tab has written; null if there is none, or if this browser keeps nothing for the page. */
  async read(): Promise<T | null> {
    return ((await this.#run('readonly', (store) => store.get(KEY))) as T | null | undefined) ?? null;
  }

  /** Resolves when every tab reads it. */
  async write(value: T | null): Promise<void> {
    await this.#run('readwrite', (store) => (value === null ? store.delete(KEY) : store.put(value, KEY)));
  }

  async #run(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
    this.#opening ??= open();
    const database = await this.#opening;
    if (database === null) return null;
    return new Promise((resolve) => {
      try {
        const transaction = database.transaction(STORE, mode);
        const request = work(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result);
        // The disk is full or the browser has cleared the site: this tab goes on with what it knows.
        transaction.onabort = () => resolve(null);
      } catch {
        // The database was closed under us; it is opened again next time.
        this.#opening = null;
        resolve(null);
      }
    });
  }
}

/** Null where the browser forbids it, as some do in private windows: then tabs know of each other by `localStorage` alone. */
function open(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
}
