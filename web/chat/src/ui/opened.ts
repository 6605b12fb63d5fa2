/** When this tab was opened. */

const KEY = 'spillway.opened';

/** Milliseconds since the Unix epoch. A reload changes nothing; a duplicated tab, which begins with a copy of the storage, is a new one. */
export function openedAt(): number {
  const now = Math.round(performance.timeOrigin);
  const [loaded] = performance.getEntriesByType('navigation');
  const isReload = loaded !== undefined && (loaded as PerformanceNavigationTiming).type === 'reload';
  try {
    const at = isReload ? Number(sessionStorage.getItem(KEY)) || now : now;
    sessionStorage.setItem(KEY, String(at));
    return at;
  } catch {
    // Storage is forbidden: a reload counts as opening.
    return now;
  }
}
