/** Which conversation is open stands in the address, so that a reload, a bookmark and the back button find it again. */

import { useCallback, useSyncExternalStore } from 'react';

const PREFIX = '#/t/';
const THREAD_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A new conversation's id: 100 random bits. */
export function newThreadId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return `t-${Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('')}`;
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
