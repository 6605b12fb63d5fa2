/** Which screen is open stands in the address, so that a reload, a bookmark and the back button find it again. */

import { useSyncExternalStore } from 'react';

export interface Route {
  /** First part of the path: which screen. */
  readonly screen: string;
  /** Second part: whom it is about; null for a list. */
  readonly about: string | null;
  readonly query: URLSearchParams;
}

/** The address of a screen. */
export function href(screen: string, about?: string | null, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
  return `#/${screen}${about == null ? '' : `/${encodeURIComponent(about)}`}${search}`;
}

export function go(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace !== true) {
    location.hash = to.slice(1);
    return;
  }
  history.replaceState(null, '', to);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [screen = '', about] = path.split('/', 2);
  return {
    screen: screen === '' ? 'overview' : screen,
    about: about === undefined || about === '' ? null : decoded(about),
    query: new URLSearchParams(search),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
