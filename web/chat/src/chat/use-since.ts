import { useRef } from 'react';

/** When `value` became what it is, ms since the Unix epoch. */
export function useSince(value: unknown): number {
  const seen = useRef({ value, at: Date.now() });
  if (seen.current.value !== value) seen.current = { value, at: Date.now() };
  return seen.current.at;
}
