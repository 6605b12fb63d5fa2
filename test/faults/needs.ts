import { NO_FAKETIME, wallClock } from '../support/lab/faketime.ts';
import { need } from '../support/tools.ts';
import type { Network } from './makers/net-enter.ts';
import { networkNeeds } from './makers/net-needs.ts';
import type { Need, Row } from './row.ts';

/** What of this machine rows may use: null where trying it worked, else why it did not. Only what these rows need is tried. */
export type Found = Readonly<Partial<Record<Need, string | null>>>;

const PROGRAMS = { nginx: 'nginx', haproxy: 'haproxy', chromium: 'chromium', redis: 'redis-server' } as const;

export async function tryNeeds(rows: readonly Row[], network: Network): Promise<Found> {
  const wanted = new Set(rows.flatMap(({ needs }) => needs));
  const found: Partial<Record<Need, string | null>> = {};
  for (const [name, program] of Object.entries(PROGRAMS) as [keyof typeof PROGRAMS, (typeof PROGRAMS)[keyof typeof PROGRAMS]][])
    if (wanted.has(name)) found[name] = need(program).missing;
  if (wanted.has('faketime')) found.faketime = faketime();
  if (wanted.has('namespaces') || wanted.has('conntrack') || wanted.has('packet-forwarder')) Object.assign(found, await networkNeeds(network));
  return found;
}

function faketime(): string | null {
  using clock = wallClock();
  return clock === null ? NO_FAKETIME : null;
}

/** Why this row cannot run here; null if it can. */
export function missingFor(row: Row, found: Found): string | null {
  const missing = row.needs.flatMap((name) => found[name] ?? []);
  return missing.length === 0 ? null : [...new Set(missing)].join('; ');
}
