import { nameless, silent, slowloris } from '../makers/handshakes.ts';
import { answeredFor, frozenPage, healthy, nappingPage, stuckHandler } from '../makers/pages.ts';
import { killed, napping, proxied, stopped } from '../makers/processes.ts';
import { shaky, slow, swallowed, trickling, unread } from '../makers/relayed.ts';
import type { ClientRow, Load } from '../row.ts';

/** One small event a second, of which some cannot be merged. */
const TALK: Load = { perSecond: 1, bytes: 120, plainEvery: 5 };
/** Not text, which a run repeats as a whole in its last event: that one alone would keep a slow road busy for longer than the preset
 *  `fast` waits. */
const FLOOD: Load = { perSecond: 5, bytes: 32_768, plainEvery: 1, forMs: 40_000 };

const row = (o: Pick<ClientRow, 'key' | 'field' | 'by' | 'expect' | 'make'> & Partial<ClientRow>): ClientRow => ({
  phase: 'clients',
  needs: [],
  fast: true,
  load: TALK,
  ...o,
});
const K2 = { is: 'noticed', bound: 'K2' } as const;
const T30 = { is: 'noticed', bound: 'T30' } as const;
const A80 = { is: 'noticed', bound: 'A80' } as const;
const H15 = { is: 'noticed', bound: 'H15' } as const;
const OK0 = { is: 'left-alone' } as const;

/** Rows that need nothing but this machine's own loopback. */
export const BASIC_ROWS: readonly ClientRow[] = [
  row({ key: 'C00', field: 'healthy control', by: 'a clean link, one event a second', expect: OK0, make: healthy }),
  row({ key: 'F01', field: 'crash', by: 'SIGKILL of the client’s process; a new one goes on from its saved position', expect: K2, make: killed }),
  row({ key: 'F02', field: 'laptop or phone asleep', by: 'SIGSTOP; the kernel goes on acknowledging', expect: T30, make: stopped, crowded: true }),
  row({
    key: 'F03p',
    field: 'silent firewall or power cut, without namespaces',
    by: 'a TCP relay swallows both directions and keeps the sockets',
    expect: T30,
    make: swallowed,
  }),
  row({
    key: 'F05a',
    field: 'a proxy answers pings',
    by: 'a WebSocket proxy keeps its side open and pongs after its client’s SIGKILL',
    expect: A80,
    make: proxied,
    crowded: true,
  }),
  row({
    key: 'F06a',
    field: 'page frozen, socket alive',
    by: 'the page’s thread in Atomics.wait; another thread has the socket',
    expect: A80,
    make: frozenPage,
    crowded: true,
  }),
  row({ key: 'F06c', field: 'stuck handler', by: 'the promise of the application’s listener never settles', expect: A80, make: stuckHandler }),
  row({ key: 'F06d', field: 'a worker answers for the page', by: 'every probe is answered, no event is acknowledged', expect: A80, make: answeredFor }),
  row({ key: 'F07', field: 'zero window', by: 'a relay beside the client stops reading; client to gateway flows', expect: T30, make: unread, load: FLOOD }),
  row({ key: 'F08', field: 'trickle reader, loaded', by: 'a relay reads one byte a second, 32 KiB events', expect: T30, make: trickling, load: FLOOD }),
  row({
    key: 'F08b',
    field: 'trickle reader, quiet',
    by: 'a relay reads one byte a second, one small event a second',
    expect: T30,
    make: trickling,
    fast: false,
  }),
  row({
    key: 'F08c',
    field: 'slow but working',
    by: 'a relay reads 20 kB/s, 30 kB/s are offered for 40 s',
    expect: OK0,
    make: slow,
    // Twice as much on the wire: what JSON escapes and UTF-8 spells in several bytes is part of every mark.
    load: { perSecond: 10, bytes: 1_500, plainEvery: 1, forMs: 40_000 },
  }),
  row({ key: 'F09a', field: 'slowloris', by: 'one byte of a header a second, for ever', expect: H15, make: slowloris, load: null }),
  row({ key: 'F09b', field: 'silence', by: 'a TCP connection and no byte', expect: H15, make: silent, load: null }),
  row({ key: 'F09c', field: 'no log-in', by: 'upgrade and pongs, but no hello', expect: H15, make: nameless, load: null }),
  row({ key: 'F10', field: 'quiet subscriber', by: 'no event and no word, the whole run', expect: OK0, make: healthy, load: null }),
  row({ key: 'F11a', field: 'page awake 2 s in 60', by: 'as F06a, in a duty cycle', expect: OK0, make: nappingPage, crowded: true }),
  row({ key: 'F11c', field: 'whole process awake 2 s in 60', by: 'SIGSTOP and SIGCONT in a duty cycle', expect: { is: 'info' }, make: napping, fast: false }),
  row({
    key: 'F12p',
    field: 'bad mobile link, without namespaces',
    by: 'a TCP relay: 400 ± 200 ms, one chunk in ten held for 1.5–6 s',
    expect: OK0,
    make: shaky,
    mayReconnect: 1,
  }),
];
