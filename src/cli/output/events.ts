import type { AdminEvent } from '../../admin/index.ts';
import { bold, dim, harmless } from './style.ts';
import { duration, instant, paintVerdict, verdict } from './words.ts';

type Data = Readonly<Record<string, unknown>>;
const text = (value: unknown): string => (value === null || value === undefined ? '-' : String(value));
const many = (value: unknown): number => (Array.isArray(value) ? value.length : 0);

/** Sentences about the events that are looked at most. */
const SENTENCES: Readonly<Record<string, (data: Data) => string>> = {
  'admission-ended': (d) =>
    `${text(d.user)} ${text(d.managerId)} ${text(d.outcome)}${d.reason === null ? '' : ` (${text(d.reason)})`} in ${duration(Number(d.durationMs))}`,
  'manager-seated': (d) => `${text(d.user)} ${text(d.managerId)} ${text(d.resume)}, seat ${text(d.seat)}`,
  'manager-ended': (d) => `${text(d.user)} ${text(d.managerId)} ${text(d.reason)}`,
  'verdict-changed': (d) =>
    `${text(d.user)} ${text(d.managerId)} ${text(d.was ?? 'new')} -> ${paintVerdict(verdict(text(d.verdict)), text(d.verdict))}: ${text(d.reason)}`,
  'cleanup-finished': (d) =>
    `${text(d.user)} ${text(d.run)} freed ${many(d.victims)} of ${text(d.before)} (${text(d.trigger)}) ${text(d.result)} in ${duration(Number(d.durationMs))}`,
  'eviction-regret': (d) => `${text(d.user)} ${text(d.managerId)} had given a sign of life (${text(d.signal)})`,
};

/** One event on one line, for people. */
export function eventLine({ at, node, type, data }: AdminEvent): string {
  const sentence = SENTENCES[type]?.(data) ?? pairs(data);
  return `${dim(instant(at))}  ${dim(node)}  ${bold(type.padEnd(18))}  ${(type as string) === 'verdict-changed' ? sentence : harmless(sentence)}`;
}

/** Everything that is one word, by name. */
const pairs = (data: Data): string =>
  Object.entries(data)
    .map(([name, value]) => (Array.isArray(value) ? `${name} ${value.length}` : typeof value === 'object' && value !== null ? '' : `${name} ${text(value)}`))
    .filter((pair) => pair !== '')
    .join('  ');
