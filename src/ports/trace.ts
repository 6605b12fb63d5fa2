/** Where something stands in a trace that somebody else began: the W3C header `traceparent`. */

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const SAMPLED = 0x01;

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** Reads a `traceparent`; null for what is none, such as one of all zeros, which the standard forbids. */
export function parseTraceparent(text: string | null | undefined): TraceContext | null {
  const match = text === null || text === undefined ? null : TRACEPARENT.exec(text);
  if (match === null || text?.startsWith('ff')) return null;
  const [, traceId = '', spanId = '', flags = ''] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}
