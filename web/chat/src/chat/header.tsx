/** The line on top: `● connected · 3 of 20 · Your sessions`. */

import type { ClientState, Limits } from 'spillway/client';
import type { User } from '../auth/account.ts';
import { connectionWord } from '../notices/connection-words.ts';
import { MenuIcon } from '../ui/icons.tsx';
import { ThemeButton } from '../ui/theme-button.tsx';

export interface HeaderProps {
  readonly state: ClientState;
  readonly limits: Limits | null;
  readonly isMoving: boolean;
  readonly user: User;
  readonly title: string | null;
  readonly isNarrow: boolean;
  readonly isDrawerOpen: boolean;
  readonly isPanelOpen: boolean;
  onDrawer(): void;
  onPanel(): void;
  onSignOut(): void;
}

/** A tab without a place, or without a connection for long, is told no numbers: what it knew is old. */
const OLD_NUMBERS: ReadonlySet<ClientState['name']> = new Set(['queued', 'offline', 'superseded', 'parked', 'failed', 'closed']);

const knowsNumbers = (state: ClientState): boolean => !OLD_NUMBERS.has(state.name) && !('info' in state && state.info?.return === 'after');

export function Header(props: HeaderProps) {
  const { state, limits, isMoving, user, title, isNarrow, isDrawerOpen, isPanelOpen, onDrawer, onPanel, onSignOut } = props;
  const { word, tone } = connectionWord(state, isMoving);
  return (
    <header className="top">
      {isNarrow && (
        <button type="button" className="icon-button" onClick={onDrawer} aria-expanded={isDrawerOpen} aria-controls="conversations" aria-label="Conversations">
          <MenuIcon />
        </button>
      )}
      <h1 className="top-title">{title ?? 'New chat'}</h1>
      <div className="top-state">
        <span className="connection" data-tone={tone} data-state={state.name}>
          <span className="dot" data-tone={tone} aria-hidden="true" />
          <span className="connection-word">{word}</span>
        </span>
        {limits !== null && knowsNumbers(state) && (
          <span className="seats" title="Tabs and devices that are open, of those that are always there for you">
            {limits.effective} of {limits.soft}
          </span>
        )}
        <button type="button" className="link sessions-link" onClick={onPanel} aria-expanded={isPanelOpen}>
          Your sessions
        </button>
      </div>
      <ThemeButton />
      <button type="button" className="quiet small sign-out" onClick={onSignOut} title={`Signed in as ${user.name}`}>
        Sign out
      </button>
    </header>
  );
}
