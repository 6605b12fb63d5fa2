/** Rules by which a value from outside becomes a typed one, or is found wrong. A rule copies what it knows and leaves the rest. */

import { isLongerThan, isWellFormed } from './utf8.ts';

/** Why a value was not taken. It never repeats the value, which may be a credential. */
export class Wrong {
  readonly path: string;
  readonly expected: string;
  readonly got: string;

  constructor(expected: string, value: unknown, path = '') {
    this.expected = expected;
    this.got = kindOf(value);
    this.path = path;
  }

  /** The same finding, seen from one level above. */
  within(key: string): Wrong {
    const outer = new Wrong(this.expected, undefined, this.path === '' ? key : `${key}.${this.path}`);
    return Object.assign(outer, { got: this.got });
  }

  /** One sentence for whoever wrote the client. */
  get text(): string {
    return `Expected \`${this.path}\` to be ${this.expected}, got ${this.got}.`;
  }
}

/** Takes a value, or tells what is wrong with it. Never throws. */
export type Rule<T> = (value: unknown) => T | Wrong;
/** A rule for a field that may be absent. `null` is not absent. */
export interface Optional<T> {
  readonly optional: Rule<T>;
}

type FieldsOf<T> = { readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Rule<T[K]> };

/** What a value is, in words that never repeat a text. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return value.length === 0 ? 'an empty string' : `a string of ${value.length} characters`;
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'boolean' ? String(value) : 'an object';
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

export const optional = <T>(rule: Rule<T>): Optional<T> => ({ optional: rule });

/** A string of `min` to `max` UTF-8 bytes. */
export function text(min: number, max: number): Rule<string> {
  const expected = `a string of ${min} to ${max} bytes`;
  return (value) => (typeof value === 'string' && value.length >= min && !isLongerThan(value, max) && isWellFormed(value) ? value : new Wrong(expected, value));
}

/** Any string; the size of the frame bounds it. */
export const anyText: Rule<string> = (value) => (typeof value === 'string' ? value : new Wrong('a string', value));

export const anything: Rule<unknown> = (value) => value;

export const truth: Rule<boolean> = (value) => (typeof value === 'boolean' ? value : new Wrong('true or false', value));

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Rule<number> {
  const expected = max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  return (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : new Wrong(expected, value));
}

export function oneOf<const T extends string>(...known: readonly T[]): Rule<T> {
  const expected = known.map((k) => `"${k}"`).join(' or ');
  return (value) => (known.includes(value as T) ? (value as T) : new Wrong(expected, value));
}

/** A string that `test` knows. */
export const passing =
  <T extends string>(test: (value: unknown) => value is T, expected: string): Rule<T> =>
  (value) =>
    test(value) ? value : new Wrong(expected, value);

export function list<T>(rule: Rule<T>, min: number, max: number): Rule<readonly T[]> {
  const expected = max === Number.POSITIVE_INFINITY ? `an array of at least ${min}` : `an array of ${min} to ${max}`;
  return (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) return new Wrong(expected, value);
    const taken: T[] = [];
    for (let i = 0; i < value.length; i++) {
      const item = rule(value[i]);
      if (item instanceof Wrong) return item.within(String(i));
      taken.push(item);
    }
    return taken;
  };
}

/** Any JSON object, taken as it is. */
export const record: Rule<Readonly<Record<string, unknown>>> = (value) => (isObject(value) ? value : new Wrong('an object', value));

/** An object with these fields, in this order; others are left out. */
export function object<T extends object>(fields: FieldsOf<T>): Rule<T> {
  const entries = Object.entries(fields) as readonly (readonly [string, Rule<unknown> | Optional<unknown>])[];
  return (value) => {
    if (!isObject(value)) return new Wrong('an object', value);
    const taken: Record<string, unknown> = {};
    for (const [key, field] of entries) {
      const given = value[key];
      if (given === undefined && typeof field !== 'function') continue;
      const item = typeof field === 'function' ? field(given) : field.optional(given);
      if (item instanceof Wrong) return item.within(key);
      taken[key] = item;
    }
    return taken as T;
  };
}
