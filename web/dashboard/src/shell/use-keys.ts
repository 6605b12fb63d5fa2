/** The keys that work on every screen. They never take a modifier and never act while somebody types. */

import { useEffect, useRef } from 'react';
import { currentGrid } from '../grid/commands.ts';
import { go, href } from '../ui/route.ts';
import { SCREENS } from './screens.ts';

/** How long `g` waits for the letter of a screen. */
const SECOND_KEY_MS = 1_500;

export interface ShellActions {
  pause(): void;
  help(): void;
  theme(): void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));
const hasDialog = (): boolean => document.querySelector('dialog[open]') !== null;

export function useKeys(actions: ShellActions): void {
  const current = useRef(actions);
  current.current = actions;
  useEffect(() => {
    let goAt = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || hasDialog()) return;
      if (isTyping(event.target)) {
        // It is what gets one out.
        if (event.key === 'Escape') (event.target as HTMLElement).blur();
        return;
      }
      const screen = event.timeStamp - goAt < SECOND_KEY_MS ? SCREENS.find(({ letter }) => letter === event.key) : undefined;
      goAt = Number.NEGATIVE_INFINITY;
      if (screen !== undefined) go(href(screen.name));
      else if (event.key === 'g') goAt = event.timeStamp;
      else if (!act(event, current.current)) return;
      event.preventDefault();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

/** Whether the key meant something. */
function act(event: KeyboardEvent, actions: ShellActions): boolean {
  switch (event.key) {
    case '/':
      search();
      return true;
    case 'j':
      currentGrid()?.move(1);
      return true;
    case 'k':
      currentGrid()?.move(-1);
      return true;
    case 'r':
      currentGrid()?.apply();
      return true;
    case 'p':
      actions.pause();
      return true;
    case 't':
      actions.theme();
      return true;
    case '?':
      actions.help();
      return true;
    case 'Escape':
      up();
      return true;
    default:
      return false;
  }
}

/** To the search field of this screen, or to the one of the users. */
function search(): void {
  const field = document.querySelector<HTMLInputElement>('input[type=search]');
  if (field !== null) field.focus();
  else {
    go(href('users'));
    // The screen is drawn before the next frame is.
    requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector<HTMLInputElement>('input[type=search]')?.focus()));
  }
}

/** Out of the table, then from one thing to the list of them. */
function up(): void {
  const focused = document.activeElement;
  if (focused instanceof HTMLElement && focused.closest('[role=grid]') !== null) {
    focused.blur();
    return;
  }
  const [screen, about] = location.hash.replace(/^#\/?/, '').split('?')[0]?.split('/') ?? [];
  if (about !== undefined && about !== '') go(href(screen === 'managers' ? 'users' : (screen ?? 'overview')));
}
