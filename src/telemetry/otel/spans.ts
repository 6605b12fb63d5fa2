import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { CleanupReport, TelemetrySource } from '../../ports/events.ts';
import { parseTraceparent } from '../../ports/trace.ts';
import { deepest } from '../deepest.ts';
import { OUTCOMES } from '../label-sets.ts';
import type { Packages } from './packages.ts';

/** Who answers, in the words of the conventions for generative AI. */
export interface AnsweringModel {
  readonly provider: string;
  readonly name: string;
}

export interface SpanOptions {
  readonly api: Packages['api'];
  readonly tracer: Tracer;
  readonly model: AnsweringModel;
  readonly node: string;
  /** How a user is named. */
  readonly nameOf: (user: string) => string;
}

/** Makes a span of each admission, cleanup, eviction, return and answer, when it has ended. Those of a client that brought a
 *  `traceparent` belong to its trace. No span holds contents. Returns the undo. */
export function traceEvents(source: TelemetrySource, { api, tracer, model, node, nameOf }: SpanOptions): () => void {
  const undo = [
    source.on('admission-ended', ({ managerId, user, tier, intent, outcome, reason, levels, probed, durationMs, trace }) => {
      const isServed = outcome !== 'retry-later' && outcome !== 'abandoned';
      const attributes: Attributes = {
        'spillway.outcome': outcome === 'reattach' ? 'reattached' : OUTCOMES[outcome],
        'spillway.tier': tier,
        'spillway.intent': intent,
        'spillway.levels': levels.map(({ level }) => level),
        'spillway.probed': probed,
        'session.id': managerId,
        'user.id': nameOf(user),
        'network.protocol.name': 'websocket',
        ...(isServed || reason === null ? {} : { 'error.type': reason }),
      };
      span('spillway.admit', durationMs, contextOf(trace), attributes).end();
    }),
    source.on('cleanup-finished', (report) => cleanup(report)),
    source.on('resumed', ({ managerId, user, tier, result, durationMs }) => {
      const attributes = {
        'spillway.result': result,
        'spillway.tier': tier,
        'session.id': managerId,
        'user.id': nameOf(user),
        'network.protocol.name': 'websocket',
      };
      span('spillway.resume', durationMs, api.ROOT_CONTEXT, attributes).end();
    }),
    source.on('run-ended', ({ user, thread, run, status, provider, usage, durationMs }) => {
      const attributes: Attributes = {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': model.provider,
        'gen_ai.request.model': model.name,
        'gen_ai.conversation.id': thread,
        'spillway.run': run,
        'spillway.status': status,
        'user.id': nameOf(user),
        ...(usage === undefined ? {} : { 'gen_ai.usage.input_tokens': usage.inputTokens, 'gen_ai.usage.output_tokens': usage.outputTokens }),
        ...(status === 'failed' || status === 'lost' ? { 'error.type': provider ? 'provider' : status } : {}),
      };
      const answer = span(`chat ${model.name}`, durationMs, api.ROOT_CONTEXT, attributes, api.SpanKind.CLIENT);
      if (status === 'failed' || status === 'lost') answer.setStatus({ code: api.SpanStatusCode.ERROR });
      answer.end();
    }),
  ];

  function cleanup(report: CleanupReport): void {
    const { run, user, trigger, levels, before, after, victims, result, durationMs, trace } = report;
    const parent = span('spillway.cleanup', durationMs, contextOf(trace), {
      'spillway.run': run,
      'spillway.trigger': trigger,
      'spillway.level': deepest(report),
      'spillway.levels': levels.map(({ level }) => level),
      'spillway.seats.before': before,
      'spillway.seats.after': after,
      'spillway.result': result,
      'user.id': nameOf(user),
      ...(result === 'failed' ? { 'error.type': 'failed' } : {}),
    });
    if (result === 'failed') parent.setStatus({ code: api.SpanStatusCode.ERROR });
    const inside = api.trace.setSpan(api.ROOT_CONTEXT, parent);
    for (const { managerId, level, verdict, reason } of victims) {
      // The record does not say when within the pass: told at its end, without a length of its own.
      span('spillway.evict', 0, inside, {
        'session.id': managerId,
        'spillway.level': level,
        'spillway.verdict': verdict,
        'spillway.reason': reason,
        'user.id': nameOf(user),
      }).end();
    }
    parent.end();
  }

  /** A span that ends now and began `durationMs` ago. */
  function span(name: string, durationMs: number, within: Context, attributes: Attributes, kind = api.SpanKind.INTERNAL): Span {
    return tracer.startSpan(name, { startTime: Date.now() - durationMs, attributes: { 'spillway.node': node, ...attributes }, kind }, within);
  }

  function contextOf(trace: string | undefined): Context {
    const remote = parseTraceparent(trace);
    if (remote === null) return api.ROOT_CONTEXT;
    const { traceId, spanId, sampled } = remote;
    const traceFlags = sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE;
    return api.trace.setSpanContext(api.ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  }

  return () => {
    for (const stop of undo) stop();
  };
}
