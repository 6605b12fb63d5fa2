/** Where the client says what it does. */

import type { DebugEvent } from './types.ts';

/** `localStorage['spillway.debug'] = '1'` turns on a log of frames without contents; else nothing is printed. */
const DEBUG_KEY = 'spillway.debug';

export function debugSink(own: ((event: DebugEvent) => void) | undefined): (event: DebugEvent) => void {
  const isLogged = wantsLog();
  return (event) => {
    own?.(event);
    // biome-ignore lint/suspicious/noConsole: the person at this browser asked for it by hand.
    if (isLogged) console.debug('spillway', event);
  };
}

function wantsLog(): boolean {
  try {
    return window.localStorage.getItem(DEBUG_KEY) === '1';
  } catch {
    // Forbidden by the browser's settings, or no page at all.
    return false;
  }
}
