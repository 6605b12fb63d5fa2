/** A name for this tab that its owner recognizes: "Chrome on Linux, opened 14:02". */

import { timeOfDay } from './clock.ts';

const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['Firefox/', 'Firefox'],
  ['FxiOS/', 'Firefox'],
  ['CriOS/', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const DEVICES = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['Macintosh', 'Mac'],
  ['CrOS', 'Chromebook'],
  ['Linux', 'Linux'],
] as const;

const named = (list: readonly (readonly [string, string])[], agent: string): string | undefined => list.find(([sign]) => agent.includes(sign))?.[1];

/** What "Your sessions" shows for the page with this user agent, and what other tabs say when they give way to it. The time tells tabs
 *  of one browser apart; what is said in them is nobody's business but their owner's, so it is no part of the name. */
export function tabLabel(userAgent: string, openedAt: number): string {
  const browser = named(BROWSERS, userAgent) ?? 'Browser';
  const device = named(DEVICES, userAgent);
  return `${device === undefined ? browser : `${browser} on ${device}`}, opened ${timeOfDay(openedAt)}`;
}
