import type { TelemetrySource } from '../ports/events.ts';
import type { Telemetry } from '../ports/telemetry.ts';

/** A stall that people may notice. */
const LONG_GAP_MS = 1_000;

/** Writes records of what happened and nobody else writes down. Returns the undo. */
export function logEvents(source: TelemetrySource, telemetry: Telemetry): () => void {
  const undo = [
    source.on('lockout', ({ managerId, user, tier, why }) =>
      telemetry.record({ severity: 'CRITICAL', event: 'lockout', message: `A person was locked out: ${why}.`, manager: managerId, user, tier, why }),
    ),
    source.on('burst-changed', ({ user, tier, to }) =>
      telemetry.record({
        severity: to === 'active' ? 'WARNING' : 'INFO',
        event: 'burst-changed',
        message: { active: 'A burst lease began.', debt: 'A burst lease is over and is being repaid.', none: 'A burst lease was repaid.' }[to],
        user,
        tier,
        to,
      }),
    ),
    source.on('queue-entered', ({ managerId, user, tier, at, position }) =>
      telemetry.record({
        severity: 'WARNING',
        event: 'queue-entered',
        message: `A person waits ${at === 'gate' ? 'for room on this node' : 'for a seat of its own'}, at number ${position}.`,
        manager: managerId,
        user,
        tier,
        at,
        position,
      }),
    ),
    source.on('queue-left', ({ managerId, user, tier, at, waitedMs, end }) =>
      telemetry.record({
        severity: 'DEBUG',
        event: 'queue-left',
        message: `Waited ${waitedMs} ms: ${end}.`,
        manager: managerId,
        user,
        tier,
        at,
        waitedMs,
        end,
      }),
    ),
    source.on('manager-seated', ({ managerId, user, tier, seat, resume, how }) =>
      telemetry.record({ severity: 'DEBUG', event: 'manager-seated', message: `Seated: ${how}.`, manager: managerId, user, tier, seat, resume, how }),
    ),
    source.on('manager-ended', ({ managerId, user, reason }) =>
      telemetry.record({ severity: 'DEBUG', event: 'manager-ended', message: `A seat was given back: ${reason}.`, manager: managerId, user, reason }),
    ),
    source.on('zombie-found', ({ managerId, user, tier, reason, delayMs }) =>
      telemetry.record({
        severity: 'DEBUG',
        event: 'zombie-found',
        message: `Found dead ${Math.round(delayMs)} ms after its last sign of life: ${reason}.`,
        manager: managerId,
        user,
        tier,
        reason,
        delayMs,
      }),
    ),
    source.on('gap-told', ({ managerId, user, thread }) =>
      telemetry.record({
        severity: 'WARNING',
        event: 'gap-told',
        message: 'A client was offered a snapshot for what the log does not hold any more.',
        manager: managerId,
        user,
        thread,
      }),
    ),
    source.on('store-lost', ({ detail }) =>
      telemetry.record({
        severity: 'WARNING',
        event: 'store-lost',
        message: `The store cannot be asked; who has a seat keeps it, and whoever comes is served by this node alone or tries again by itself: ${detail}`,
      }),
    ),
    source.on('store-back', ({ awayMs }) =>
      telemetry.record({ severity: 'INFO', event: 'store-back', message: `The store answers again after ${Math.round(awayMs)} ms.`, awayMs }),
    ),
    source.on('drain-started', ({ node }) =>
      telemetry.record({ severity: 'INFO', event: 'drain-started', message: 'Clients are moved away one by one.', node }),
    ),
    source.on('drain-finished', ({ node, durationMs }) =>
      telemetry.record({ severity: 'INFO', event: 'drain-finished', message: `Nobody is left after ${Math.round(durationMs)} ms.`, node, durationMs }),
    ),
    source.on('attention-lost', ({ gapMs }) =>
      telemetry.record({
        severity: gapMs < LONG_GAP_MS ? 'DEBUG' : 'INFO',
        event: 'attention-lost',
        message: `This process did not turn for ${Math.round(gapMs)} ms.`,
        gapMs: Math.round(gapMs),
      }),
    ),
  ];
  return () => {
    for (const stop of undo) stop();
  };
}
