import { type Colour, coloured } from './style.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in two units at most: `8ms`, `0.2s`, `12s`, `4m01s`, `2h05m`, `3d04h`. Null: `-`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-';
  if (ms < 100) return `${Math.round(ms)}ms`;
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1)}s`;
  const whole = Math.round(ms / SECOND) * SECOND;
  if (whole < MINUTE) return `${whole / SECOND}s`;
  if (whole < HOUR) return two(whole, MINUTE, 'm', SECOND, 's');
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'm');
  return two(whole, DAY, 'd', HOUR, 'h');
}

const two = (ms: number, unit: number, name: string, smaller: number, its: string): string =>
  `${Math.floor(ms / unit)}${name}${String(Math.floor((ms % unit) / smaller)).padStart(2, '0')}${its}`;

/** Digits in groups of three. */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** `1 seat`, `2 seats`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return '-';
  if (n < 1_024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let [value, at] = [n / 1_024, 0];
  while (value >= 1_000 && at < units.length - 1) [value, at] = [value / 1_024, at + 1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}

/** The time of day here, with the date if it is another one. */
export function instant(at: number, now: number = Date.now()): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return new Date(now).toDateString() === date.toDateString() ? time : `${day} ${time}`;
}

export const isoInstant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

interface Look {
  readonly glyph: string;
  readonly colour: Colour;
}
const VERDICTS: Readonly<Record<string, Look>> = {
  healthy: { glyph: '●', colour: 'green' },
  idle: { glyph: '◐', colour: 'blue' },
  suspect: { glyph: '◌', colour: 'orange' },
  zombie: { glyph: '✕', colour: 'red' },
  inactive: { glyph: '○', colour: 'grey' },
  unknown: { glyph: '?', colour: 'purple' },
};

/** A verdict as sign and word, for people. */
export const verdict = (name: string): string => `${VERDICTS[name]?.glyph ?? '?'} ${name}`;
export const paintVerdict = (text: string, name: string): string => coloured(VERDICTS[name]?.colour ?? 'grey', text);

const STATES: Readonly<Record<string, Colour>> = {
  ok: 'green',
  passed: 'green',
  ready: 'green',
  quiet: 'green',
  enough: 'green',
  done: 'green',
  warning: 'orange',
  pending: 'orange',
  short: 'orange',
  draining: 'orange',
  stopped: 'orange',
  starting: 'blue',
  running: 'blue',
  problem: 'red',
  critical: 'red',
  firing: 'red',
  failed: 'red',
  refused: 'red',
  expired: 'red',
  silent: 'red',
};
/** Colours the name of a state by how good it is. */
export const paintState = (text: string, name: string): string => (STATES[name] === undefined ? text : coloured(STATES[name], text));

/** What an evidence's signal observes, in words. */
export const SIGNALS: Readonly<Record<string, string>> = {
  E1: 'acknowledged',
  E2: 'answered a probe',
  E3: 'sent something',
  E4: 'pong of its socket',
  E6: 'output stuck',
  E7: 'run under way',
  E8: 'transport gone',
  E9: 'records disagree',
};
