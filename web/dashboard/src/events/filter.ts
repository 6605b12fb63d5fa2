/** What a person types above the events: `type:verdict-changed user:alice reason:ack-timeout`, and any other words to look for. */

import type { EventFilter, EventRow } from 'spillway/admin';
import { shellWord } from '../ui/buttons.tsx';

export interface TypedFilter {
  /** For the gateway. */
  readonly of: EventFilter;
  /** Searched for in the JSON of every event, here. */
  readonly words: readonly string[];
  /** `name:value` of a name that means nothing. */
  readonly unknown: readonly string[];
}

const NAMES = ['type', 'user', 'reason'] as const;

export function readFilter(text: string): TypedFilter {
  const of: Partial<Record<(typeof NAMES)[number], string>> = {};
  const [words, unknown]: [string[], string[]] = [[], []];
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const [, name, value] = /^([a-z]+):(.+)$/.exec(part) ?? [];
    const known = NAMES.find((one) => one === name);
    if (known !== undefined && value !== undefined) of[known] = value;
    else if (name !== undefined && value !== undefined && name !== 'drill') unknown.push(name);
    else words.push(part);
  }
  return { of, words, unknown };
}

/** Whether an event has all the words. */
export function hasWords(row: EventRow, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = JSON.stringify(row);
  return words.every((word) => text.includes(word));
}

export function asCommand({ of }: TypedFilter): string {
  const flags = [
    ['type', of.type],
    ['user', of.user],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${shellWord(value)}`]));
  return ['spillway events tail', ...flags].join(' ');
}
