/** Which conversation is open stands in the address, so that a reload, a bookmark and the back button find it again. */

import { useCallback, useSyncExternalStore } from 'react';

const PREFIX = '#/t/';
const THREAD_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

const EMPTY_KEY = 'spillway.empty-thread';

/** A new conversation's id: 100 random bits. This tab remembers that nothing was said in it yet, also over a reload. */
export function newThreadId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  const id = `t-${Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
  keepEmpty(id);
  return id;
}

function keepEmpty(id: string | null): void {
  try {
    if (id === null) sessionStorage.removeItem(EMPTY_KEY);
    else sessionStorage.setItem(EMPTY_KEY, id);
  } catch {
    // Storage is forbidden: the server is asked instead.
  }
}

/** Whether nothing was said yet in the conversation that this tab made last. */
export function isEmptyThread(id: string): boolean {
  try {
    return sessionStorage.getItem(EMPTY_KEY) === id;
  } catch {
    return false;
  }
}

/** Something is being said in it now. */
export function fillThread(id: string): void {
  if (isEmptyThread(id)) keepEmpty(null);
}

function readThread(): string | null {
  if (!location.hash.startsWith(PREFIX)) return null;
  const id = location.hash.slice(PREFIX.length);
  return THREAD_ID.test(id) ? id : null;
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

/** The open conversation (null: none is named yet) and how to open another. `replace` leaves no step for the back button. */
export function useThreadRoute(): { thread: string | null; open(id: string, options?: { replace?: boolean }): void } {
  const thread = useSyncExternalStore(subscribe, readThread, () => null);
  const open = useCallback((id: string, options: { replace?: boolean } = {}): void => {
    if (options.replace !== true) {
      location.hash = `${PREFIX.slice(1)}${id}`;
      return;
    }
    history.replaceState(null, '', `${PREFIX}${id}`);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  }, []);
  return { thread, open };
}
