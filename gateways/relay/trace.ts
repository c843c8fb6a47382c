import { context, propagation, SpanKind, SpanStatusCode, trace, type Span, type Tracer } from '@opentelemetry/api';
import type { Call } from './call.ts';

/** A span of a call or an attempt; made only where somebody listens. */
export interface RelaySpan {
  end(outcome: string, status: number | null): void;
}

const ended = (span: Span, outcome: string, status: number | null): void => {
  span.setAttribute('oblivious.outcome', outcome);
  if (status !== null) span.setAttribute('http.response.status_code', status);
  if (status === null || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
};

/** The span of a whole call, a child of the client's own where it sent a `traceparent`. */
export const startCallSpan = (tracer: Tracer | null, call: Call): RelaySpan | null => {
  if (tracer === null) return null;
  const parent = propagation.extract(context.active(), call.req.headers);
  const span = tracer.startSpan(
    call.route,
    { kind: SpanKind.SERVER, attributes: { 'http.request.method': call.req.method, 'oblivious.request_id': call.requestId } },
    parent,
  );
  spans.set(call, span);
  return { end: (outcome, status) => ended(span, outcome, status) };
};

const spans = new WeakMap<Call, Span>();

/** The span of one try of one channel. */
export const startAttemptSpan = (tracer: Tracer | null, call: Call, channelId: string, upstreamModel: string): RelaySpan | null => {
  if (tracer === null) return null;
  const parent = spans.get(call);
  const within = parent === undefined ? context.active() : trace.setSpan(context.active(), parent);
  const span = tracer.startSpan(
    'upstream',
    { kind: SpanKind.CLIENT, attributes: { 'oblivious.channel': channelId, 'gen_ai.request.model': upstreamModel } },
    within,
  );
  return { end: (outcome, status) => ended(span, outcome, status) };
};
