/** A name for this tab that its owner recognizes: "Chrome on Linux". */

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

/** What "Your sessions" shows for the page with this user agent. */
export function deviceLabel(userAgent: string): string {
  const browser = named(BROWSERS, userAgent) ?? 'Browser';
  const device = named(DEVICES, userAgent);
  return device === undefined ? browser : `${browser} on ${device}`;
}
