import type { Severity, Telemetry } from '../../ports/telemetry.ts';
import type { Context } from '../context.ts';
import type { CleanupReport, FactoryEmitter, RegretRecord } from '../events.ts';
import { deepestLevel } from '../inspection/counters.ts';

/** A cleanup has ended: counts it, tells of it, and writes down why each one went and each other one stayed. */
export function noteCleanup(context: Pick<Context, 'counters' | 'clock' | 'telemetry'>, events: FactoryEmitter, report: CleanupReport): void {
  context.counters.cleanupEnded(report, context.clock.wall());
  events.emit('cleanup-finished', report);
  context.telemetry.record({
    severity: severityOf(report),
    event: 'cleanup-finished',
    message: cleanupText(report),
    trace: report.trace,
    cleanup: report,
  });
}

function severityOf({ trigger, levels, victims, result }: CleanupReport): Severity {
  const isOurs = trigger !== 'user' && trigger !== 'operator';
  if (result === 'failed' || (isOurs && levels.some((run) => run.level === 'force' && run.result === 'short'))) return 'ERROR';
  if (isOurs && victims.some((victim) => victim.level === 'force')) return 'WARNING';
  // A look at everybody after which nobody had to go.
  return victims.length > 0 || result === 'short' ? 'INFO' : 'DEBUG';
}

/** An evicted manager had been alive after all. */
export function noteRegret(telemetry: Telemetry, events: FactoryEmitter, record: RegretRecord): void {
  events.emit('eviction-regret', record);
  const message = 'An evicted session had given a sign of life that was read too late. It comes back with all its story.';
  telemetry.record({ severity: 'WARNING', event: 'eviction-regret', message, ...record });
}

/** A cleanup record in a line, such as `Freed 5 of 20 seats at moderate in 5 ms. Went: 5 probe-timeout. Stayed: 12 quiet-below-limit,
 *  3 run.` Who they are, and the evidence on each, is in the record. */
export function cleanupText(report: CleanupReport): string {
  const { victims, kept, before, durationMs } = report;
  const head = `Freed ${victims.length} of ${before} ${before === 1 ? 'seat' : 'seats'} at ${deepestLevel(report)} in ${durationMs} ms.`;
  const went = counted(
    'Went',
    victims.map((v) => v.reason),
  );
  const stayed = counted(
    'Stayed',
    kept.map((k) => k.because),
  );
  return `${head}${went}${stayed}`;
}

function counted(title: string, reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${count} ${reason}`);
  return parts.length === 0 ? '' : ` ${title}: ${parts.join(', ')}.`;
}
