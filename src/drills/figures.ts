import { type AdminClient, AdminProblem, type AdminStatus, type PastCleanup } from '../admin/index.ts';
import type { Tab } from './browser.ts';
import { evictionsOf } from './evictions.ts';
import type { Stage } from './stage.ts';

/** How long figures may take to settle: a farewell has its time, and what is evicted is counted before it is gone. */
const SETTLED_WITHIN_MS = 5_000;
const PAGE = 200;

/** The gateway's counters at one instant, and where its list of cleanups ended then. */
export interface Figures {
  readonly status: AdminStatus;
  readonly lastRun: string | null;
}

/** Reads them. */
export async function figuresOf(admin: AdminClient): Promise<Figures> {
  for (;;) {
    const lastRun = await newestRun(admin);
    const status = await admin.status();
    // A cleanup between the two would be in one of them only.
    if ((await newestRun(admin)) === lastRun) return { status, lastRun };
  }
}

const newestRun = async (admin: AdminClient): Promise<string | null> => (await admin.cleanups({ limit: 1 })).cleanups[0]?.cleanup.run ?? null;

/** Records of cleanups behind the newest one of `before`, newest first. */
export async function cleanupsSince(admin: AdminClient, { lastRun }: Pick<Figures, 'lastRun'>): Promise<PastCleanup[]> {
  const found: PastCleanup[] = [];
  let cursor: string | undefined;
  do {
    const page = await admin.cleanups({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const past of page.cleanups) {
      if (past.cleanup.run === lastRun) return found;
      found.push(past);
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** One fact as sources say it that know nothing of each other, by the name of the source. */
export interface Fact {
  readonly of: string;
  readonly said: Readonly<Record<string, number | string>>;
}

/** Compares until the sources of each fact agree or had time to settle; a difference fails the drill. */
export async function compare(stage: Stage, look: () => Promise<readonly Fact[]>): Promise<void> {
  const agrees = stage.expects('What the clients saw and what the gateway counted are the same');
  let facts: readonly Fact[] = [];
  const ok = await stage.sees(SETTLED_WITHIN_MS, async () => {
    facts = await look();
    return facts.every(isAgreed) ? true : null;
  });
  const seen = facts.filter(isSaid).map(({ of, said }) => {
    const all = Object.entries(said);
    return isAgreed({ of, said }) ? `${of} ${all[0]?.[1]}` : `${of}: ${all.map(([source, value]) => `${source} ${value}`).join(', ')}`;
  });
  agrees(ok === true, `${seen.join(' · ')}; ${ok ? 'difference 0' : 'they differ'}`);
}

/** Nothing is told by all of them alike: no reasons where nobody was evicted. */
const isSaid = ({ said }: Fact): boolean => Object.values(said).some((one) => one !== '');
const isAgreed = ({ said }: Fact): boolean => new Set(Object.values(said)).size === 1;

/** What is to agree in every drill: how often this user's clients were seated, how many seats they have now, and whom the whole node
 *  evicted, by its counter and by its records. Others may be busy on it meanwhile. */
export async function usualFacts({ admin, order }: Stage, before: Figures, tabs: readonly Pick<Tab, 'returns'>[], seats: number): Promise<Fact[]> {
  const cleanups = await cleanupsSince(admin, before);
  const { status } = await figuresOf(admin);
  const room = await roomOf(admin, order.user);
  const seated = tabs.reduce((sum, tab) => sum + tab.returns.filter((how) => how !== 'attached').length, 0);
  return [
    { of: 'seated', said: { clients: seated, records: await seatedBy(admin, order.user) } },
    { of: 'seats', said: { clients: seats, gateway: room.seats } },
    {
      of: 'evictions of the node',
      said: { records: cleanups.reduce((sum, { cleanup }) => sum + cleanup.victims.length, 0), counter: freedIn(status) - freedIn(before.status) },
    },
  ];
}

/** Seats and sockets of a user; who has none is unknown to the gateway. */
export async function roomOf(admin: AdminClient, user: string): Promise<{ readonly seats: number; readonly sockets: number }> {
  try {
    return await admin.user(user);
  } catch (error) {
    if (AdminProblem.is(error) && error.code === 'not-found') return { seats: 0, sockets: 0 };
    throw error;
  }
}

/** Admissions of a user that ended with a seat, by their records. */
async function seatedBy(admin: AdminClient, user: string): Promise<number> {
  let seated = 0;
  let cursor: string | undefined;
  for (;;) {
    const { events, nextCursor } = await admin.events({ type: 'admission-ended', user, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    for (const { data } of events) if (!['retry-later', 'abandoned', 'reattach'].includes(String(data.outcome))) seated++;
    if (events.length === 0) return seated;
    cursor = nextCursor;
  }
}

/** Whom a cleanup took, all levels together. */
const freedIn = ({ freed }: AdminStatus): number => Object.values(freed).reduce((sum, one) => sum + one, 0);

/** Says in the report why each was evicted. */
export async function reportEvictions(stage: Stage, before: Figures): Promise<void> {
  const { total, reasons, runs } = evictionsOf(await cleanupsSince(stage.admin, before), stage.order.user);
  stage.step(total === 0 ? 'nobody was evicted' : `why each was evicted: ${reasons}; cleanup records ${runs.join(', ')}`);
}
