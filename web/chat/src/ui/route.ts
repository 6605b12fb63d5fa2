/** Which conversation is open stands in the address, so that a reload, a bookmark and the back button find it again. */

import { useCallback, useSyncExternalStore } from 'react';

const PREFIX = '#/t/';
/** Nothing was said yet under this address, so that nobody has to ask the server for what is stored. It stays true for whoever opens it
 *  too late: a conversation that is followed from its start shows all of it. */
const EMPTY_PREFIX = '#/new/';
const THREAD_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A new conversation's id: 100 random bits. */
export function newThreadId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return `t-${Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
}

/** Whether the address says that nothing was said yet in this conversation. */
export const isEmptyThread = (id: string): boolean => location.hash === EMPTY_PREFIX + id;

/** Something is being said in it: the address becomes the one to keep. */
export function fillThread(id: string): void {
  if (isEmptyThread(id)) go(PREFIX + id, true);
}

function readThread(): string | null {
  const prefix = [PREFIX, EMPTY_PREFIX].find((known) => location.hash.startsWith(known));
  const id = prefix === undefined ? '' : location.hash.slice(prefix.length);
  return THREAD_ID.test(id) ? id : null;
}

function go(hash: string, replace: boolean): void {
  if (!replace) {
    location.hash = hash.slice(1);
    return;
  }
  history.replaceState(null, '', hash);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

/** The open conversation (null: none is named yet), how to open another, and how to begin one. `replace` leaves no step for the back button. */
export function useThreadRoute(): { thread: string | null; open(id: string): void; openNew(options?: { replace?: boolean }): void } {
  const thread = useSyncExternalStore(subscribe, readThread, () => null);
  const open = useCallback((id: string): void => go(PREFIX + id, false), []);
  const openNew = useCallback((options: { replace?: boolean } = {}): void => go(EMPTY_PREFIX + newThreadId(), options.replace === true), []);
  return { thread, open, openNew };
}
