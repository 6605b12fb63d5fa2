/** The admin key of this tab. It comes in the address behind `#k=`, where no server and no log sees it, and then lives in the tab's storage. */

const STORED = 'spillway.admin-key';
const IN_ADDRESS = /^#k=([^&]+)(?:&at=(.*))?$/;

/** The key that the address brings, or the one that this tab knows; null: a person has to give it. The address is cleaned at once. */
export function findKey(): string | null {
  const brought = IN_ADDRESS.exec(location.hash);
  if (brought?.[1] !== undefined) {
    const key = decodeURIComponent(brought[1]);
    history.replaceState(null, '', brought[2] === undefined ? location.pathname + location.search : `#${decodeURIComponent(brought[2])}`);
    keepKey(key);
    return key;
  }
  try {
    return sessionStorage.getItem(STORED);
  } catch {
    return null;
  }
}

/** Remembers `key` for this tab, or forgets it for null. */
export function keepKey(key: string | null): void {
  try {
    if (key === null) sessionStorage.removeItem(STORED);
    else sessionStorage.setItem(STORED, key);
  } catch {
    // Storage is forbidden: a reload asks again.
  }
}
