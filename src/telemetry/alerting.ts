import type { AlertBoard } from '../ports/alerts.ts';
import type { Clock } from '../ports/clock.ts';
import type { SpillwayEvents } from '../ports/events.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { AlertStatus } from '../protocol/live.ts';
import { createAlertEvaluator } from './alert-evaluator.ts';
import { createAlertWebhook, messageFor } from './alert-webhook.ts';
import { type AlertSettings, alertsOf } from './alerts.ts';
import type { Observatory } from './observatory.ts';

/** What a gateway may be told about its alerts. */
export interface AlertOptions extends AlertSettings {
  /** Told as JSON by POST when an alert begins or ends. Default: nobody. */
  readonly webhook?: string;
}

export interface AlertingParts {
  readonly options: AlertOptions;
  readonly observatory: Pick<Observatory, 'read'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly node: string;
  readonly version: string;
  /** Told of every change of an alert. */
  readonly changed: (change: SpillwayEvents['alert-changed']) => void;
}

/** The alerts of one gateway: evaluated from its own metrics, logged, told to whoever listens and to the webhook. Dispose it to stop. */
export function createAlerting({ options, observatory, clock, telemetry, node, version, changed }: AlertingParts): AlertBoard & Disposable {
  const webhook = options.webhook === undefined ? null : createAlertWebhook({ url: options.webhook, clock, telemetry });
  const states = new Map<string, AlertStatus['state']>();
  const evaluator = createAlertEvaluator({
    alerts: alertsOf(options),
    read: (metrics) => observatory.read(metrics),
    clock,
    telemetry,
    changed(change) {
      changed(change);
      const was = states.get(change.alert) ?? 'quiet';
      states.set(change.alert, change.state);
      const status = evaluator.statuses().find(({ alert }) => alert === change.alert);
      const message = status === undefined ? null : messageFor(status, was, { node, version, at: clock.wall() });
      if (message !== null) webhook?.tell(message);
    },
  });
  return {
    statuses: () => evaluator.statuses(),
    [Symbol.dispose]() {
      evaluator[Symbol.dispose]();
      webhook?.[Symbol.dispose]();
    },
  };
}
