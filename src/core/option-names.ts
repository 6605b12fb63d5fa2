import { OPTIONS, type OptionKey } from './options.ts';

export const OPTION_KEYS = Object.keys(OPTIONS) as readonly OptionKey[];

/** `limits.burst.forMs` → `--limits.burst.for-ms` */
export function flagOf(key: OptionKey): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `limits.burst.forMs` → `SPILLWAY_LIMITS_BURST_FOR_MS` */
export function environmentOf(key: OptionKey): string {
  return `SPILLWAY_${key
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

export function isOptionKey(name: string): name is OptionKey {
  return Object.hasOwn(OPTIONS, name);
}

/** Whether `name` is the front part of option keys, as `limits.burst` is. */
export function isOptionGroup(name: string): boolean {
  return OPTION_KEYS.some((key) => key.startsWith(`${name}.`));
}

/** A value as it may be shown: of an address that holds a password without it, whatever characters that is made of. */
export const shownValue = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/^([a-z][a-z+]*:\/\/[^:@/\s]*):\S*@/i, '$1:[secret]@') : value;

/** Whether the value may only be shown as "set" or "not set". */
export function isSecret(key: OptionKey): boolean {
  return 'secret' in OPTIONS[key];
}
