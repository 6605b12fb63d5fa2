/** What the gateway tells the person, as it stands. */

import type { Notice } from '../protocol/messages.ts';

/** A higher version of an id replaces, a cleared one removes; late ones of a lower version change nothing. */
export function withNotice(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  const known = notices.find((n) => n.id === notice.id);
  if (known && known.version > notice.version) return notices;
  if (notice.cleared) return notices.filter((n) => n !== known);
  return known ? notices.map((n) => (n === known ? notice : n)) : [...notices, notice];
}

/** What stays true on a new transport: only what has happened already. The rest is said anew if it still holds. */
export const lastingNotices = (notices: readonly Notice[]): readonly Notice[] => notices.filter((n) => n.kind === 'cleaned-up');
