/** The screens, the letter behind `g` that opens each, and what a gateway must have for it. */

import type { LiveWelcome } from 'spillway/admin';

export interface Screen {
  readonly name: string;
  readonly title: string;
  readonly letter: string;
  readonly needs?: LiveWelcome['features'][number];
  /** Why it is absent where the gateway cannot fill it. */
  readonly absent?: string;
}

export const SCREENS: readonly Screen[] = [
  { name: 'overview', title: 'Overview', letter: 'o' },
  { name: 'users', title: 'Users', letter: 'u' },
  { name: 'cleanup', title: 'Cleanup', letter: 'c' },
  { name: 'events', title: 'Events', letter: 'e' },
  { name: 'queue', title: 'Queue', letter: 'q' },
  { name: 'alerts', title: 'Alerts', letter: 'a', needs: 'alerts', absent: 'this gateway evaluates no alerts' },
  {
    name: 'drills',
    title: 'Drills',
    letter: 'd',
    needs: 'drills',
    absent: 'drills are off: they make real trouble. They are on in `spillway dev`, and in `spillway serve --drills`',
  },
  { name: 'nodes', title: 'Nodes', letter: 'n' },
];

export const isThere = ({ needs }: Screen, welcome: LiveWelcome | null): boolean => needs === undefined || welcome === null || welcome.features.includes(needs);
