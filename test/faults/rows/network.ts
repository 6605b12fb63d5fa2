import { deaf, forgottenFlow, linkDown, mute, powerCut, silentFirewall } from '../makers/net-links.ts';
import { badLink } from '../makers/net-mobile.ts';
import { cutBehind, killedBehind } from '../makers/net-proxies.ts';
import { zeroWindow } from '../makers/net-window.ts';
import type { ClientRow, Load } from '../row.ts';

/** One small event a second, of which some cannot be merged. */
const TALK: Load = { perSecond: 1, bytes: 120, plainEvery: 5 };
const FLOOD: Load = { perSecond: 5, bytes: 32_768, plainEvery: 0, forMs: 60_000 };
const K2 = { is: 'noticed', bound: 'K2' } as const;
const T30 = { is: 'noticed', bound: 'T30' } as const;
const BAD = { delayMs: 400, jitterMs: 200, loss: 0.05 };
const TERRIBLE = { delayMs: 800, jitterMs: 400, loss: 0.1 };

const row = (o: Omit<ClientRow, 'phase' | 'fast' | 'load' | 'needs'> & Partial<ClientRow>): ClientRow => ({
  phase: 'clients',
  fast: false,
  load: TALK,
  needs: ['namespaces'],
  ...o,
});

/** Rows with a network namespace for each client, and rows behind the proxies that stand before most servers. */
export const NETWORK_ROWS: readonly ClientRow[] = [
  row({ key: 'F03a', field: 'Wi-Fi gone', by: 'link down in the client’s namespace', expect: T30, make: linkDown }),
  row({ key: 'F03b', field: 'silent firewall', by: 'nft drops both directions', expect: T30, make: silentFirewall }),
  row({ key: 'F03c', field: 'power cut', by: 'link down, then SIGKILL: no FIN ever', expect: T30, make: powerCut }),
  row({ key: 'F04a', field: 'one direction dead: to the gateway', by: 'nft drops the client’s output', expect: T30, make: mute }),
  row({ key: 'F04b', field: 'one direction dead: to the client', by: 'nft drops the client’s input', expect: T30, make: deaf }),
  row({
    key: 'F04c',
    field: 'NAT forgot the flow',
    by: 'a masquerading namespace loses its entry and drops packets without one',
    expect: T30,
    make: forgottenFlow,
    needs: ['namespaces', 'conntrack'],
  }),
  row({ key: 'F05b-kill', field: 'behind nginx: crash', by: 'SIGKILL of the client', expect: K2, make: killedBehind('nginx'), needs: ['nginx'] }),
  row({
    key: 'F05b-cut',
    field: 'behind nginx: link gone',
    by: 'link down between client and proxy',
    expect: T30,
    make: cutBehind('nginx'),
    needs: ['nginx', 'namespaces'],
  }),
  row({ key: 'F05c-kill', field: 'behind HAProxy: crash', by: 'SIGKILL of the client', expect: K2, make: killedBehind('haproxy'), needs: ['haproxy'] }),
  row({
    key: 'F05c-cut',
    field: 'behind HAProxy: link gone',
    by: 'link down between client and proxy',
    expect: T30,
    make: cutBehind('haproxy'),
    needs: ['haproxy', 'namespaces'],
  }),
  row({ key: 'F07n', field: 'zero window, at once', by: 'as F07, with receive buffers of 4–8 KiB', expect: T30, make: zeroWindow, load: FLOOD }),
  row({
    key: 'F12',
    field: 'bad mobile link',
    by: '400 ± 200 ms and 5 % loss each way',
    expect: { is: 'left-alone' },
    make: badLink(BAD),
    needs: ['namespaces', 'packet-forwarder'],
    mayReconnect: 1,
  }),
  row({
    key: 'F12b',
    field: 'terrible mobile link',
    by: '800 ± 400 ms and 10 % loss each way',
    expect: { is: 'info' },
    make: badLink(TERRIBLE),
    needs: ['namespaces', 'packet-forwarder'],
  }),
];
