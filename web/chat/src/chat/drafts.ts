/** What somebody has typed and not sent, kept for each conversation until it is sent. */

import { useCallback, useState } from 'react';
import { recall, remember } from '../ui/stored.ts';

const keyOf = (user: string, thread: string): string => `spillway.draft.${user}.${thread}`;

/** The draft of a conversation. The component that uses it is made anew for another conversation. */
export function useDraft(user: string, thread: string): [string, (text: string) => void] {
  const key = keyOf(user, thread);
  const [draft, setDraft] = useState(() => recall(key) ?? '');
  const change = useCallback(
    (text: string): void => {
      setDraft(text);
      remember(key, text === '' ? null : text);
    },
    [key],
  );
  return [draft, change];
}
