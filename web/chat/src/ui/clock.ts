/** Times in words, and a clock that ticks only where somebody looks at it. */

import { useEffect, useState } from 'react';

const SECOND_MS = 1_000;

/** The present, ms since the Unix epoch, drawn anew every `everyMs` while `running`. */
export function useNow(everyMs = SECOND_MS, running = true): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, running]);
  return now;
}

/** "41 s", "3 min", "2 h"; rounded up, so that nothing is promised too early. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  if (seconds <= 90) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

/** How long ago something was, rounded down: "now", "12 s", "38 min", "5 h", "3 days". */
export function agoText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND_MS));
  if (seconds < 2) return 'now';
  if (seconds <= 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** The time of day as this person writes it: "14:02". */
export const timeOfDay = (at: number): string => new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
