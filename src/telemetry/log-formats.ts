import { parseTraceparent } from '../ports/trace.ts';

/** How lines name the trace that a record belongs to, and other things that the reader of a format wants spelled its own way. */
export type LineFormat = 'json' | 'gcp' | 'pretty';

interface Written {
  readonly event?: unknown;
  readonly trace?: unknown;
  readonly cleanup?: unknown;
  readonly [field: string]: unknown;
}

const GCP = 'logging.googleapis.com/';

/** The fields of a record as a format spells them. `project`: the Google Cloud project, where it is known. */
export function fieldsFor(format: LineFormat, { trace, ...fields }: Written, project: string | null): object {
  const context = typeof trace === 'string' ? parseTraceparent(trace) : null;
  if (format === 'gcp') {
    return {
      ...fields,
      ...(context === null
        ? {}
        : {
            [`${GCP}trace`]: project === null ? context.traceId : `projects/${project}/traces/${context.traceId}`,
            [`${GCP}spanId`]: context.spanId,
            [`${GCP}trace_sampled`]: context.sampled,
          }),
      ...operationOf(fields),
    };
  }
  return { ...fields, ...(context === null ? {} : { trace_id: context.traceId, span_id: context.spanId }) };
}

/** A cleanup pass is one operation with one record; repeated delivery of the line is recognised by its id. */
function operationOf({ event, cleanup }: Written): object {
  if (event !== 'cleanup-finished' || typeof cleanup !== 'object' || cleanup === null || !('run' in cleanup)) return {};
  const { run: id } = cleanup;
  return { [`${GCP}insertId`]: id, [`${GCP}operation`]: { id, producer: 'spillway.cleanup', last: true } };
}
