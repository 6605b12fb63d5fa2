import { readValue } from '../core/option-values.ts';
import { SpillwayError } from '../protocol/errors.ts';

/** What `--since` means, in ms since 1970: an instant, or how long ago.
 *  @throws SpillwayError for anything else */
export function sinceOf(text: string, now: number = Date.now()): number {
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const at = Date.parse(text);
    if (!Number.isNaN(at)) return at;
  }
  const ago = readValue({ kind: 'ms', default: 0, min: 0 }, text, true);
  if (ago.ok && /[a-z]/i.test(text)) return Math.max(0, now - (ago.value as number));
  throw new SpillwayError(
    'SPILLWAY_BAD_OPTION',
    `Expected \`--since\` to be how long ago, such as 30min or 1h, or an instant such as 2026-11-21T14:02:31Z, got \`${text}\``,
  );
}

/** A duration of a flag, in ms. @throws SpillwayError naming the flag */
export function durationOf(flag: string, text: string, min = 0): number {
  const value = readValue({ kind: 'ms', default: 0, min }, text, true);
  if (value.ok) return value.value as number;
  throw new SpillwayError('SPILLWAY_BAD_OPTION', `Expected \`${flag}\` to be ${value.expected}, got \`${text}\``);
}
