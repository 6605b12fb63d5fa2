import { createServer } from 'node:http';
import { listenAnywhere } from './ports.ts';

/** One attribute value as OTLP/JSON spells it. */
interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}
interface Attribute {
  readonly key: string;
  readonly value: AnyValue;
}

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface ReceivedPoint {
  readonly value: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A collector as OTLP over HTTP with JSON has it: it keeps what it is sent. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** The newest points of a metric: sums, gauges, and counts of histograms. */
  points(metric: string): readonly ReceivedPoint[];
  /** Everything as it came. */
  readonly bodies: string[];
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics = new Map<string, readonly ReceivedPoint[]>();
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      const sent = JSON.parse(body);
      if (request.url === '/v1/traces') spans.push(...spansIn(sent));
      if (request.url === '/v1/metrics') for (const [name, points] of metricsIn(sent)) metrics.set(name, points);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  const url = `http://127.0.0.1:${await listenAnywhere(server)}`;
  return {
    url,
    spans,
    bodies,
    points: (metric) => metrics.get(metric) ?? [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the body of a request, read field by field.
type Sent = any;

function spansIn({ resourceSpans }: Sent): ReceivedSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }: Sent) =>
    scopeSpans.flatMap(({ spans }: Sent) =>
      spans.map((span: Sent) => ({
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
        isError: span.status?.code === 2,
        attributes: attributesOf(span.attributes),
      })),
    ),
  );
}

function metricsIn({ resourceMetrics }: Sent): [string, ReceivedPoint[]][] {
  return resourceMetrics.flatMap(({ scopeMetrics }: Sent) =>
    scopeMetrics.flatMap(({ metrics }: Sent) =>
      metrics.map(({ name, sum, gauge, histogram }: Sent) => [
        name,
        (sum ?? gauge ?? histogram).dataPoints.map((point: Sent) => ({
          value: Number(point.asDouble ?? point.asInt ?? point.count),
          attributes: attributesOf(point.attributes),
        })),
      ]),
    ),
  );
}

const attributesOf = (attributes: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, textOrNumber(value)]));

function textOrNumber({ stringValue, intValue, doubleValue, boolValue, arrayValue }: AnyValue): unknown {
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(textOrNumber);
  return stringValue ?? boolValue ?? doubleValue ?? Number(intValue);
}
