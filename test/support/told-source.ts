import { type Clock, systemClock } from '../../src/ports/clock.ts';
import type { DeliveryCounts, EventName, Gauges, SpillwayEvents, TelemetrySource } from '../../src/ports/events.ts';

const NOBODY: Gauges = {
  managers: [],
  seats: 0,
  effectiveSeats: 0,
  transports: 0,
  quarantinedTransports: 0,
  users: 0,
  usersAtLimit: 0,
  usersInBurst: 0,
  usersInDebt: 0,
  queueLength: [],
  unackedEvents: 0,
  bufferedBytes: 0,
  localHealthScore: 0,
  storeFailOpen: false,
  leaseRemainingMs: 30_000,
  nodes: { alive: 1, silent: 0, dead: 0 },
  storeClockSkewMs: null,
  draining: false,
  cleanupHeartbeatAt: null,
};

/** A source of telemetry that tells what a test says. */
export interface ToldSource extends TelemetrySource {
  tell<N extends EventName>(name: N, event: SpillwayEvents[N]): void;
  figures: Gauges;
  readonly delivery: DeliveryCounts;
}

export function toldSource(): ToldSource {
  const listeners = new Map<EventName, Set<(event: never) => void>>();
  return {
    figures: NOBODY,
    delivery: { sent: 0, acked: 0, replayed: 0, duplicatesSuppressed: 0 },
    gauges() {
      return this.figures;
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    },
    tell(name, event) {
      for (const listener of listeners.get(name) ?? []) (listener as (event: unknown) => void)(event);
    },
  };
}

/** A clock that a test moves. */
export function handClock(): Clock & { pass(ms: number): void } {
  let now = 1_000;
  let timers: { at: number; call: () => void }[] = [];
  return {
    ...systemClock,
    mono: () => now,
    wall: () => 1_700_000_000_000 + now,
    after(delayMs, call) {
      const timer = { at: now + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    pass(ms) {
      const until = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        now = due.at;
        due.call();
      }
      now = until;
    },
  };
}
