import type { LiveWelcome, ManagerRow, Summary } from '../../admin/index.ts';
import { bold, coloured, dim, flowed } from './style.ts';
import { type Column, ID_COLUMNS, tableLines } from './table.ts';
import { bytes, count, duration, instant, paintVerdict, verdict } from './words.ts';

export const TOP_COLUMNS: readonly Column<ManagerRow>[] = [
  { title: 'MANAGER', text: (m) => m.manager, shrink: ID_COLUMNS },
  { title: 'USER', text: (m) => m.user, shrink: 12 },
  { title: 'VERDICT', text: (m) => verdict(m.verdict), raw: (m) => m.verdict, paint: (text, m) => paintVerdict(text, m.verdict) },
  { title: 'AGE', text: (m) => duration(m.ageMs), raw: (m) => m.ageMs, right: true, drop: 4 },
  { title: 'LAST ACK', text: (m) => duration(m.lastAckMs), raw: (m) => m.lastAckMs, right: true },
  { title: 'UNACKED', text: (m) => count(m.unacked), raw: (m) => m.unacked, right: true },
  { title: 'BUFFERED', text: (m) => bytes(m.bufferedBytes), raw: (m) => m.bufferedBytes, right: true, drop: 3 },
  { title: 'QUIET', text: (m) => duration(m.quietMs), raw: (m) => m.quietMs, right: true, drop: 2 },
  { title: 'PONG', text: (m) => duration(m.lastPongMs), raw: (m) => m.lastPongMs, right: true, drop: 1 },
  { title: 'PAGE', text: (m) => m.visibility, drop: 5 },
  { title: 'IN WORDS', text: (m) => m.text, shrink: 24 },
];

export interface TopFrame {
  readonly welcome: LiveWelcome | null;
  readonly summary: Summary | null;
  readonly total: number;
  readonly rows: readonly ManagerRow[];
  /** What is shown, and how the connection stands. */
  readonly note: string;
}

/** One look at the gateway, for a terminal. */
export function topLines({ welcome, summary, total, rows, note }: TopFrame, width: number): string[] {
  const head = flowed(
    [bold(welcome?.node ?? '…'), ...(welcome === null ? [] : [`Spillway ${welcome.version}`]), ...(summary === null ? [] : [instant(summary.at)]), dim(note)],
    width,
  );
  const table = tableLines(TOP_COLUMNS, rows, { isTerminal: true, width });
  const rest = total > rows.length ? [dim(`… ${count(total - rows.length)} more`)] : [];
  return [
    ...head,
    ...(summary === null ? ['waiting for the first figures'] : summaryLines(summary, width)),
    '',
    ...(table.length > 0 ? table : [dim('no session fits')]),
    ...rest,
  ];
}

function summaryLines(s: Summary, width: number): string[] {
  const golden =
    s.goldenPath === null
      ? dim('golden path -')
      : s.goldenPath.ok
        ? `golden path ${coloured('green', duration(s.goldenPath.ms))}`
        : coloured('red', 'GOLDEN PATH FAILS');
  const bad = (n: number, text: string): string => (n > 0 ? coloured('red', text) : text);
  const health = [
    golden,
    bad(s.lockouts.last24h, `lockouts ${count(s.lockouts.total)} (24h ${count(s.lockouts.last24h)})`),
    bad(s.gaps, `gaps ${count(s.gaps)}`),
    `cleanup p99 ${duration(s.cleanupP99Ms)}`,
    `queue ${s.queue.length}${s.queue.length > 0 ? ` (longest ${duration(s.queue.longestMs)})` : ''}`,
    `availability ${s.availability === null ? '-' : `${(s.availability * 100).toFixed(2)}%`}`,
    bad(s.alertsFiring, `alerts ${s.alertsFiring}`),
  ];
  const room = [
    `users ${count(s.users)} (${count(s.usersAtLimit)} at the limit)`,
    `seats ${count(s.seats)} (effective ${count(s.effectiveSeats)})`,
    `sockets ${count(s.transports)}`,
    bad(s.quarantined, `quarantined ${count(s.quarantined)}`),
    `burst ${count(s.burst.active)} (${count(s.burst.debt)} repaying)`,
    `evicted ${count(s.evicted)}`,
    bad(s.regrets, `regrets ${count(s.regrets)}`),
    ...(s.draining ? [coloured('orange', 'DRAINING')] : []),
    ...(s.storeFailOpen ? [coloured('red', 'STORE LOST')] : []),
    ...(s.selfSlow ? [coloured('orange', 'SLOW ITSELF: calls nobody dead')] : []),
  ];
  const verdicts = Object.entries(s.managers).map(([name, n]) => paintVerdict(`${verdict(name)} ${count(n)}`, name));
  return [health, room, verdicts].flatMap((parts) => flowed(parts, width));
}
