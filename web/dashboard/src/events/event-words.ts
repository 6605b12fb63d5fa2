/** An event in a few words. Everything else stands in its JSON. */

import type { EventRow } from 'spillway/admin';
import { age, milliseconds } from '../ui/format.ts';

type Fields = Readonly<Record<string, unknown>>;

const SAYS: Readonly<Record<string, (of: Fields) => readonly unknown[]>> = {
  'admission-ended': (of) => [of.outcome, of.reason, `in ${milliseconds(number(of.durationMs))}`],
  'queue-entered': (of) => [`place ${of.position}`, of.at],
  'queue-left': (of) => [of.end, `after ${age(number(of.waitedMs))}`],
  lockout: (of) => [of.why],
  'burst-changed': (of) => [of.to],
  'manager-seated': (of) => [of.how, of.resume, `${of.seat} seat`],
  'verdict-changed': (of) => [of.was == null ? of.verdict : `${of.was} → ${of.verdict}`, of.reason],
  'manager-ended': (of) => [of.reason],
  'zombie-found': (of) => [of.reason, `found after ${age(number(of.delayMs))}`],
  'probe-ended': (of) => [of.result, `in ${milliseconds(number(of.durationMs))}`],
  'cleanup-finished': (of) => [
    of.trigger,
    `freed ${list(of.victims).length} of ${of.before}`,
    [...new Set(list(of.levels).map((one) => (one as Fields).level))].join(', '),
    of.result,
    milliseconds(number(of.durationMs)),
  ],
  'transport-quarantined': (of) => [`${of.quarantined} refuse to close`],
  'transport-closed': (of) => [of.code, of.reason],
  'eviction-regret': (of) => [of.reason, `sign of life ${of.signal}`],
  'mismatch-found': (of) => [of.kind, of.detail],
  resumed: (of) => [of.result, `in ${milliseconds(number(of.durationMs))}`],
  'gap-told': (of) => [of.thread],
  'notice-shown': (of) => [of.kind],
  'run-started': (of) => [of.thread],
  'run-ended': (of) => [of.status, of.provider === true ? 'by the model’s endpoint' : null, `in ${milliseconds(number(of.durationMs))}`],
  'store-lost': (of) => [of.detail],
  'store-back': (of) => [`after ${age(number(of.awayMs))}`],
  'attention-lost': (of) => [`for ${milliseconds(number(of.gapMs))}`],
  'golden-path-ran': (of) => [of.result, milliseconds(number(of.durationMs)), of.detail],
  'operator-acted': (of) => [of.action, of.target, of.outcome, of.reason, of.detail],
  'alert-changed': (of) => [of.alert, of.state, of.summary],
};

const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export function inWords({ type, data }: EventRow): string {
  const fields = (data ?? {}) as Fields;
  const words = Object.hasOwn(SAYS, type) ? (SAYS[type]?.(fields) ?? []) : [];
  return words.filter((word) => word !== null && word !== undefined && word !== '').join(' · ');
}

/** Whose event it is; null: nobody's. */
export const fieldOf = ({ data }: EventRow, name: string): string | null => {
  const value = (data as Fields | null)?.[name];
  return typeof value === 'string' ? value : null;
};

/** Whether something went wrong that a person should see. */
export const isTrouble = ({ type, data }: EventRow): boolean =>
  ['lockout', 'gap-told', 'eviction-regret', 'mismatch-found', 'store-lost', 'transport-quarantined', 'zombie-found'].includes(type) ||
  (type === 'verdict-changed' && (data as Fields).verdict === 'zombie') ||
  (type === 'alert-changed' && (data as Fields).state === 'firing') ||
  (type === 'cleanup-finished' && (data as Fields).result !== 'enough');
