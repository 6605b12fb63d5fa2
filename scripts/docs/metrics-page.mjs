import { METRICS, PREFIX } from '../../src/telemetry/metrics.ts';
import { cell, code, madeFrom, table } from './markdown.mjs';

/** docs/metrics.md, from the table of metrics. */
export function metricsPage() {
  const ofKind = (kind) => Object.entries(METRICS).filter(([, spec]) => spec.kind === kind);
  const rows = (kind, more = () => []) => ofKind(kind).map(([name, spec]) => [`\`${PREFIX}${name}\``, labelsOf(spec.labels), ...more(spec), cell(spec.help)]);
  return `# Metrics

${madeFrom('src/telemetry/metrics.ts')}

\`GET /metrics\` on the port for operators gives them as Prometheus reads them, and as OpenMetrics to whoever asks for
\`application/openmetrics-text\`. It needs the key of the admin API, or a token of any role:

\`\`\`yaml
scrape_configs:
  - job_name: spillway
    authorization: { credentials_file: /etc/spillway/metrics-token } # the admin key, or a token of the role viewer
    static_configs: [{ targets: ['127.0.0.1:8788'] }]
\`\`\`

Units are seconds, bytes and counts. Every series is there from the start at 0, so that a first event is a rise. No label holds an id of a
user, a manager or a thread, and every set of labels is closed: \`tier\` is one of those configured, or \`other\`. All is counted where it
happens, on this node alone. Besides these there are \`process_*\` and \`nodejs_*\`, which count for the whole process.

In OpenMetrics the histograms of admissions and cleanups carry exemplars: the \`trace_id\` of a client that sent a \`traceparent\`, and
\`cleanup_run\`, under which \`GET /admin/api/v1/cleanup/history/:run\` tells the whole record.

With \`telemetry.otlp\` the same are sent by OpenTelemetry under dotted names, such as \`spillway.cleanup_runs\` and, in the unit \`s\`,
\`spillway.admission\`; \`gen_ai.client.operation.duration\` besides.

## How things stand

${table(['gauge', 'labels', 'what it says'], rows('gauge'))}

## What happened

${table(['counter', 'labels', 'what it counts'], rows('counter'))}

## How long it took

Buckets are upper bounds in seconds.

${table(
  ['histogram', 'labels', 'buckets', 'what it measures'],
  rows('histogram', (spec) => [spec.buckets.join(' ')]),
)}
`;
}

/** Sets of more than this many values are told by their kind. */
const MOST_VALUES = 12;

function labelsOf(labels = {}) {
  return Object.entries(labels)
    .map(([name, set]) => {
      if (!Array.isArray(set) || set.length > MOST_VALUES) return `\`${name}\``;
      return `\`${name}\`: ${code(set)}`;
    })
    .join('; ');
}
