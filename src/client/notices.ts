/** What the gateway tells the person, as it stands. */

import type { Notice } from '../protocol/messages.ts';

/** A higher version of an id replaces, a cleared one removes; late ones of a lower version change nothing. */
export function withNotice(notices: readonly Notice[], notice: Notice): readonly Notice[] {
  const at = notices.findIndex((n) => n.id === notice.id);
  const known = notices[at];
  if (known !== undefined && known.version > notice.version) return notices;
  if (notice.cleared) return at < 0 ? notices : notices.filter((_, i) => i !== at);
  return at < 0 ? [...notices, notice] : notices.map((n, i) => (i === at ? notice : n));
}

/** What stays true on a new transport: only what has happened already. The rest is said anew if it still holds. */
export const lastingNotices = (notices: readonly Notice[]): readonly Notice[] => notices.filter((n) => n.kind === 'cleaned-up');
