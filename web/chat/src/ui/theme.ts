/** Light or dark: by the system until the person says otherwise. `theme.js` applies it before the first paint. */

import { useSyncExternalStore } from 'react';
import { recall, remember } from './stored.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'spillway.theme';
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const listeners = new Set<() => void>();

function currentTheme(): Theme {
  const applied = document.documentElement.dataset.theme;
  return applied === 'light' || applied === 'dark' ? applied : 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  const changedElsewhere = (event: StorageEvent): void => {
    if (event.key !== KEY) return;
    const stored = recall(KEY);
    apply(stored === 'light' || stored === 'dark' ? stored : 'system');
  };
  listeners.add(listener);
  addEventListener('storage', changedElsewhere);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', changedElsewhere);
  };
}

/** Goes on from system to light to dark and remembers it for this browser. */
export function cycleTheme(): void {
  const next = NEXT[currentTheme()];
  remember(KEY, next === 'system' ? null : next);
  apply(next);
}

export function useTheme(): { readonly theme: Theme; readonly next: Theme } {
  const theme = useSyncExternalStore(subscribe, currentTheme, () => 'system' as const);
  return { theme, next: NEXT[theme] };
}
