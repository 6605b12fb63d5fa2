import type { HostedClient } from './clients/host.ts';
import { openIn, sharedHost } from './makers/hosted.ts';
import type { ClientRow, Subject, Target } from './row.ts';

/** How full a faulty client's user is: alone, or among healthy clients. */
export type Variant = '14/20' | '20/20' | null;

/** One faulty client, the healthy ones of the same user, and the row it belongs to. */
export interface Cast {
  readonly row: ClientRow;
  readonly variant: Variant;
  readonly index: number;
  /** Of so many of this row and variant. */
  readonly of: number;
  readonly name: string;
  readonly subject: Subject;
  readonly crowd: readonly HostedClient[];
}

/** Seats that a user of this variant has, the faulty client among them. */
const SEATS: Readonly<Record<Exclude<Variant, null>, number>> = { '14/20': 14, '20/20': 20 };
export const LIMIT = 20;
export const shareOf = (variant: Variant): number => (variant === null ? 1 : SEATS[variant]) / LIMIT;

/** Who will be made. */
export interface Part {
  readonly row: ClientRow;
  readonly variant: Variant;
  readonly index: number;
  readonly of: number;
}

/** All parts of these rows. */
export function partsOf(rows: readonly ClientRow[], isFast: boolean): readonly Part[] {
  return rows.flatMap((row) =>
    variantsOf(row, isFast).flatMap((variant) => {
      const of = variant === null ? (isFast ? FAST_CLIENTS : (row.clients ?? CLIENTS)) : isFast ? 1 : CROWDED_CLIENTS;
      return Array.from({ length: of }, (_, index) => ({ row, variant, index, of }));
    }),
  );
}

const CLIENTS = 5;
const CROWDED_CLIENTS = 2;
const FAST_CLIENTS = 2;

/** `npm test` looks at frozen applications at the limit, and at nothing else in a crowd. */
function variantsOf(row: ClientRow, isFast: boolean): readonly Variant[] {
  if (row.crowded !== true) return [null];
  if (!isFast) return [null, '14/20', '20/20'];
  return row.expect.is === 'noticed' && row.expect.bound === 'A80' ? [null, '20/20'] : [null];
}

/** Makes one faulty client, which works as yet, and its crowd. */
export async function makeCast(target: Target, { row, variant, index, of }: Part): Promise<Cast> {
  const name = [row.key.toLowerCase(), ...(variant === null ? [] : [variant.replace('/', 'of')]), index].join('-');
  const subject = await row.make({ target, user: name, thread: name, index });
  const seats = variant === null ? 1 : SEATS[variant];
  const host = variant === null ? null : sharedHost(target, 'crowd');
  const crowd =
    host === null
      ? []
      : await Promise.all(
          Array.from({ length: seats - 1 }, (_, i) =>
            openIn(host, { target, user: name, thread: crowdThread(name), index: i }, { file: `${name}-crowd-${i}` }),
          ),
        );
  return { row, variant, index, of, name, subject, crowd };
}

/** What the healthy clients of a crowd talk about. */
export const crowdThread = (name: string): string => `${name}-crowd`;
