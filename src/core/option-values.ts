import type { OptionKind, TierOptions } from './options.ts';

export type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly expected: string };

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 1_024, mib: 1_048_576, gib: 1_073_741_824 };

/** Checks one value of an option. `asText`: it comes from a flag or the environment, where everything is text.
 *  Times and sizes may bring their unit everywhere (`60s`, `1MiB`). */
export function readValue(kind: OptionKind, given: unknown, asText: boolean): Read {
  switch (kind.kind) {
    case 'ms':
    case 'bytes':
    case 'count':
      return readNumber(kind, given, asText);
    case 'share':
      return isShare(asText ? fromText(given) : given) ? good(asText ? fromText(given) : given) : bad('a share from 0 to 1');
    case 'flag':
      return readFlag(given, asText);
    case 'text':
      if (given === null && kind.default === null) return good(null);
      return typeof given === 'string' && given !== '' ? good(given) : bad('a text that is not empty');
    case 'choice':
      return typeof given === 'string' && kind.of.includes(given) ? good(given) : bad(`one of ${kind.of.map((one) => `\`${one}\``).join(', ')}`);
    case 'texts':
      return readTexts(asText ? list(given) : given);
    case 'shares':
      return readShares(asText ? list(given)?.map(fromText) : given);
    case 'tiers':
      return readTiers(given, asText);
  }
}

/** What came, as an error names it: the value and its type, cut where it is long. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return `\`${value}\``;
  const type = Array.isArray(value) ? 'list' : typeof value;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\` (${type === 'string' ? 'text' : type})`;
}

const good = (value: unknown): Read => ({ ok: true, value });
const bad = (expected: string): Read => ({ ok: false, expected });

type NumberKind = Extract<OptionKind, { kind: 'ms' | 'bytes' | 'count' }>;

function readNumber(kind: NumberKind, given: unknown, asText: boolean): Read {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = kind;
  const value = typeof given === 'string' ? withUnit(kind, given, asText) : given;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return good(value);
  const what =
    kind.kind === 'count'
      ? 'a whole number'
      : kind.kind === 'ms'
        ? 'a time in milliseconds or with its unit (`500ms`, `60s`, `15min`, `2h`, `30d`)'
        : 'a size in bytes or with its unit (`64KiB`, `1MiB`)';
  const range = max === Number.MAX_SAFE_INTEGER ? (kind.kind === 'count' || min > 0 ? ` from ${min}` : '') : ` from ${min} to ${max}`;
  return bad(what + range);
}

function withUnit(kind: NumberKind, text: string, asText: boolean): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim().replaceAll('_', ''));
  if (match === null) return null;
  const [, digits = '', unit = ''] = match;
  if (unit === '') return asText ? Number(digits) : null;
  const factor = kind.kind === 'ms' ? MS[unit.toLowerCase()] : kind.kind === 'bytes' ? BYTES[unit.toLowerCase()] : undefined;
  return factor === undefined ? null : Number(digits) * factor;
}

function readFlag(given: unknown, asText: boolean): Read {
  if (typeof given === 'boolean') return good(given);
  if (asText && (given === 'true' || given === '1')) return good(true);
  if (asText && (given === 'false' || given === '0')) return good(false);
  return bad('`true` or `false`');
}

function readTexts(given: unknown): Read {
  return Array.isArray(given) && given.every((one) => typeof one === 'string' && one !== '') ? good([...given]) : bad('a list of texts');
}

function readShares(given: unknown): Read {
  const rising = Array.isArray(given) && given.length > 0 && given.every((one, i) => isShare(one) && (i === 0 || one > (given[i - 1] as number)));
  return rising ? good([...given]) : bad('rising shares from 0 to 1');
}

function readTiers(given: unknown, asText: boolean): Read {
  const expected = 'tiers by name, each with `weight` (a number above 0) and `protected` (`true` or `false`)';
  const value = asText && typeof given === 'string' ? fromJson(given) : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad(expected);
  const tiers: Record<string, TierOptions> = {};
  for (const [name, tier] of Object.entries(value)) {
    if (typeof tier !== 'object' || tier === null) return bad(expected);
    const { weight = 1, protected: safe = false, ...rest } = tier as Partial<TierOptions>;
    if (typeof weight !== 'number' || !(weight > 0) || typeof safe !== 'boolean' || Object.keys(rest).length > 0) return bad(expected);
    tiers[name] = { weight, protected: safe };
  }
  return good(tiers);
}

const isShare = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;
const fromText = (given: unknown): unknown => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given);
const list = (given: unknown): readonly string[] | undefined =>
  typeof given === 'string'
    ? given
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
    : undefined;

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // Not JSON is not tiers; the caller says what was expected.
  }
}
