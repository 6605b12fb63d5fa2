import pino from 'pino';
import type { LogRecord, Severity, Telemetry } from '../ports/telemetry.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  /** Least severity that is written. `CRITICAL` counts as `error`. */
  readonly level: LogLevel;
  /** `json`: one object a line. `pretty`: one line for people. */
  readonly format: 'json' | 'pretty';
  /** Takes whole lines. Default: standard output. */
  readonly write?: (line: string) => void;
}

/** Telemetry that writes records as lines, in order. */
export interface Log extends Telemetry {
  /** Writes out what is still buffered; records after this are dropped. */
  close(): void;
}

const LEVEL_OF = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' } as const satisfies Record<Severity, pino.Level>;
const SEVERITY_OF = Object.fromEntries(Object.entries(LEVEL_OF).map(([severity, level]) => [level, severity]));

/** Records never hold credentials; should a field of such a name slip in, its value does not reach the log. */
const SECRETS = ['token', 'ticket', 'password', 'secret', 'authorization', 'cookie', 'apiKey'];

/** A logger on standard output. Lines leave in batches without holding up the event loop; `close` writes the rest. */
export function createLog({ level, format, write }: LogOptions): Log {
  const output = write === undefined ? pino.destination({ fd: 1, sync: false }) : null;
  // Whoever read our output is gone. Serving goes on: nobody's session depends on a log line.
  output?.on('error', () => {});
  const stream = { write: write ?? ((line: string) => output?.write(line)) };
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ severity: SEVERITY_OF[label] }) },
      redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    format === 'json' ? stream : { write: (line: string) => stream.write(`${prettyLine(JSON.parse(line))}\n`) },
  );
  let closed = false;
  return {
    record({ severity, message, ...fields }) {
      if (!closed) logger[LEVEL_OF[severity]](fields, message);
    },
    close() {
      closed = true;
      try {
        output?.flushSync();
      } catch {
        // Standard output is closed: there is nobody left to tell.
      }
    },
  };
}

/** `14:02:31 INFO  cleanup-finished  freed 16 of 20 managers  user=u_3f level=moderate` */
function prettyLine({ severity, time, event, message, ...fields }: LogRecord & { readonly time: string }): string {
  const details = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  // The last step guards a terminal against control sequences in what clients sent.
  return [time.slice(11, 19), severity.padEnd(8), event, ` ${message}`, ...details].join(' ').replace(/\p{Cc}/gu, '�');
}
