import type { AdminClient, AdminEvent, CleanupRecord } from '../admin/index.ts';
import { dim } from './output/style.ts';
import { ID_COLUMNS, tableLines } from './output/table.ts';
import { instant, paintVerdict, verdict } from './output/words.ts';

/** A session that lost its seat, and why. */
export interface Closing {
  readonly at: number;
  readonly manager: string;
  readonly user: string;
  /** Reason code. */
  readonly reason: string;
  /** The cleanup that took its seat, if one did. */
  readonly run: string | null;
  readonly level: string | null;
  readonly verdict: string | null;
  /** The evidence in a sentence, at that instant. */
  readonly text: string | null;
}

/** Events and cleanup records that are looked at: what the gateway remembers. */
const EVENTS = 1_000;
const RECORDS = 200;
const SHOWN = 5;

/** The sessions that were closed last, newest first: of a user, or this one. */
export async function closedLately(
  client: AdminClient,
  whose: { readonly user?: string; readonly manager?: string },
  most: number = SHOWN,
): Promise<readonly Closing[]> {
  const ofUser = whose.user === undefined ? {} : { user: whose.user };
  const [{ events }, { cleanups }] = await Promise.all([
    client.events({ type: 'manager-ended', limit: EVENTS, ...ofUser }),
    client.cleanups({ limit: RECORDS, ...ofUser }),
  ]);
  const records = cleanups.map(({ cleanup }) => cleanup);
  return events
    .filter(({ data }) => whose.manager === undefined || data.managerId === whose.manager)
    .slice(-most)
    .reverse()
    .map((event) => closingOf(event, records));
}

function closingOf({ at, data }: AdminEvent, records: readonly CleanupRecord[]): Closing {
  const [manager, user, reason] = [String(data.managerId), String(data.user), String(data.reason)];
  const record = records.find(({ victims }) => victims.some(({ managerId }) => managerId === manager));
  const victim = record?.victims.find(({ managerId }) => managerId === manager);
  return {
    at,
    manager,
    user,
    reason,
    run: record?.run ?? null,
    level: victim?.level ?? null,
    verdict: victim?.verdict ?? null,
    text: victim?.text ?? null,
  };
}

/** The same for people; nothing if there are none. */
export function closedLines(closings: readonly Closing[], now: number): string[] {
  if (closings.length === 0) return [];
  const lines = tableLines<Closing>(
    [
      { title: 'CLOSED', text: ({ at }) => instant(at, now) },
      { title: 'MANAGER', text: ({ manager }) => manager, shrink: ID_COLUMNS },
      {
        title: 'VERDICT',
        text: (c) => (c.verdict === null ? '-' : verdict(c.verdict)),
        paint: (text, c) => (c.verdict === null ? text : paintVerdict(text, c.verdict)),
        drop: 2,
      },
      { title: 'REASON', text: ({ reason }) => reason },
      { title: 'CLEANUP', text: ({ run }) => run ?? '-', shrink: ID_COLUMNS },
      { title: 'BECAUSE', text: becauseOf, shrink: 32 },
    ],
    closings,
    { isTerminal: true },
  );
  const run = closings.find((closing) => closing.run !== null)?.run;
  return ['', ...lines, ...(run == null ? [] : [dim(`the whole record of a cleanup: spillway cleanup show ${run}`)])];
}

/** What the reason codes of closings without a cleanup mean. */
const MEANS: Readonly<Record<string, string>> = {
  'client-closed': 'the client said goodbye',
  parked: 'the page asked for its seat to be parked',
  'transport-lost': 'its connection was gone for longer than the resume window',
  'half-open': 'its connection did not answer any more',
  'write-stalled': 'its connection took no more bytes',
  ghost: 'nothing was left of it but a record',
  'node-dead': 'its node is gone',
  'user-freed': 'the person closed it in “Your sessions”',
  'admin-evicted': 'an operator took its seat: spillway audit',
  superseded: 'it came back elsewhere',
};

export const becauseOf = ({ text, level, reason }: Closing): string => (text === null ? (MEANS[reason] ?? '-') : `${level}: ${text}`);
