import { busyTab, hiddenTab, pausedTab } from '../makers/browser.ts';
import type { ClientRow, Load } from '../row.ts';

/** One small event a second, of which some cannot be merged. */
const TALK: Load = { perSecond: 1, bytes: 120, plainEvery: 5 };
const HIDDEN_MS = 480_000;

/** A browser is dear: three tabs a row. */
const row = (o: Pick<ClientRow, 'key' | 'field' | 'by' | 'expect' | 'make'> & Partial<ClientRow>): ClientRow => ({
  phase: 'clients',
  needs: ['chromium'],
  fast: false,
  load: TALK,
  clients: 3,
  ...o,
});

/** Rows whose client is a page in Chromium, driven without switches that change how pages live. */
export const BROWSER_ROWS: readonly ClientRow[] = [
  row({
    key: 'F06b',
    field: 'page frozen, socket alive, in a browser',
    by: 'a Chromium tab in while (true); the browser answers pings',
    expect: { is: 'noticed', bound: 'A80' },
    make: busyTab,
    crowded: true,
  }),
  row({
    key: 'F11b',
    field: 'page awake 2 s in 60, in a browser',
    by: 'Chromium’s debugger pauses the tab 58 s of 60',
    expect: { is: 'left-alone' },
    make: pausedTab,
  }),
  row({
    key: 'F11d',
    field: 'hidden tab',
    by: 'another Chromium tab in front for 8 min; timers fire once a minute',
    expect: { is: 'left-alone' },
    make: hiddenTab,
    windowMs: HIDDEN_MS,
    crowded: true,
    atAnyFill: true,
  }),
];
