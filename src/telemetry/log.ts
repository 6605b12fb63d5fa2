import pino from 'pino';
import type { LogRecord, Severity, Telemetry } from '../ports/telemetry.ts';
import { fieldsFor, type LineFormat } from './log-formats.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  /** Least severity that is written. `CRITICAL` counts as `error`. */
  readonly level: LogLevel;
  /** `json`: one object a line. `gcp`: the same with the names that Google Cloud Logging reads. `pretty`: one line for people. */
  readonly format: LineFormat;
  /** The Google Cloud project in which traces are looked up. Default: unknown, and they are named without it. */
  readonly project?: string | null;
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
export function createLog({ level, format, project = null, write }: LogOptions): Log {
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
    format !== 'pretty' ? stream : { write: (line: string) => stream.write(`${prettyLine(JSON.parse(line))}\n`) },
  );
  let closed = false;
  return {
    record({ severity, message, ...fields }) {
      const name = LEVEL_OF[severity];
      if (!closed && logger.isLevelEnabled(name)) logger[name](fieldsFor(format, fields, project), message);
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

/** `14:02:31 INFO     cleanup-finished  Freed 5 of 20 seats at moderate in 3 ms. run=cln_… user=ada result=enough`: one line, however
 *  much a record holds. Lists and long texts are left to the format `json`. */
function prettyLine({ severity, time, event, message, ...fields }: LogRecord & { readonly time: string }): string {
  // The last step guards a terminal against control sequences in what clients sent.
  return [time.slice(11, 19), severity.padEnd(8), event, ` ${shortened(message)}`, ...detailsOf(fields)].join(' ').replace(/\p{Cc}/gu, '�');
}

/** What a person reads at a glance. */
const LINE_MAX_CHARACTERS = 200;

const shortened = (text: string): string => (text.length <= LINE_MAX_CHARACTERS ? text : `${text.slice(0, LINE_MAX_CHARACTERS)}…`);

/** Plain fields as `name=value`, and those of a record in a field as if they were its neighbours. */
function detailsOf(fields: object, depth = 0): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (isPlain(value)) return [`${name}=${value}`];
    if (Array.isArray(value)) return value.length > 0 && value.every(isPlain) ? [`${name}=${value.join(',')}`] : [];
    return depth === 0 ? detailsOf(value, 1) : [];
  });
}

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
