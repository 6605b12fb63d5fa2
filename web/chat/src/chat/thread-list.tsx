/** The conversations on the left; on narrow screens a drawer over the page. */

import { useEffect, useRef } from 'react';
import { CloseIcon, PlusIcon } from '../ui/icons.tsx';
import { Wordmark } from '../ui/wordmark.tsx';
import type { Threads } from './threads.ts';

export interface ThreadListProps {
  readonly list: Threads;
  readonly current: string | null;
  /** Title of the open conversation while the list does not know it yet. */
  readonly currentTitle: string | null;
  readonly isDrawer: boolean;
  readonly isOpen: boolean;
  onOpen(id: string): void;
  onNew(): void;
  onClose(): void;
}

export function ThreadList({ list, current, currentTitle, isDrawer, isOpen, onOpen, onNew, onClose }: ThreadListProps) {
  const box = useRef<HTMLElement>(null);
  const isHidden = isDrawer && !isOpen;
  useEffect(() => {
    if (isDrawer && isOpen) box.current?.querySelector<HTMLElement>('[aria-current="page"], .new-chat')?.focus();
  }, [isDrawer, isOpen]);

  const isNew = current !== null && currentTitle !== null && !list.threads.some((t) => t.id === current);
  const rows = isNew ? [{ id: current, title: currentTitle, activeRun: null }, ...list.threads] : list.threads;
  return (
    <nav ref={box} id="conversations" className="threads" data-open={isOpen} aria-label="Conversations" inert={isHidden}>
      <div className="threads-head">
        <Wordmark />
        {isDrawer && (
          <button type="button" className="icon-button" onClick={onClose} aria-label="Close the list of conversations">
            <CloseIcon />
          </button>
        )}
      </div>
      <button type="button" className="new-chat" onClick={onNew}>
        <PlusIcon />
        New chat
      </button>
      <ul>
        {rows.map((thread) => (
          <li key={thread.id}>
            <a
              href={`#/t/${thread.id}`}
              aria-current={thread.id === current ? 'page' : undefined}
              onClick={(event) => {
                // A new tab by modifier or middle button stays possible.
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                onOpen(thread.id);
              }}
            >
              <span className="title">{thread.title || 'Untitled'}</span>
              {thread.activeRun !== null && <span className="pulse" role="img" aria-label="answering" />}
            </a>
          </li>
        ))}
      </ul>
      {list.isLoaded && rows.length === 0 && <p className="muted empty">Your conversations will stand here.</p>}
      {list.hasMore && (
        <button type="button" className="quiet" onClick={list.loadMore}>
          Show older ones
        </button>
      )}
    </nav>
  );
}
