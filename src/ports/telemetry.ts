import type { LogEventName } from './log-events.ts';

/** Where structured records go. The library prints nothing; the command-line program passes a logger. */
export type Severity = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

/** One thing that happened: `event` is from a closed list, fields never hold contents of messages or credentials. */
export interface LogRecord {
  readonly severity: Severity;
  readonly event: LogEventName;
  readonly message: string;
  /** The `traceparent` of the request that it belongs to. */
  readonly trace?: string | undefined;
  readonly [field: string]: unknown;
}

export interface Telemetry {
  record(record: LogRecord): void;
}

export const silent: Telemetry = { record: () => {} };
