import { context, trace, type Attributes, type Context, type Span, type SpanOptions, type Tracer } from '@opentelemetry/api';
import { expect } from 'chai';
import { startFakeUpstream, type FakeUpstream } from '../../support/fake-upstream/server.ts';
import { channel, chatPrice, startRelay } from './relay-harness.ts';

interface Recorded {
  readonly name: string;
  readonly attributes: Attributes;
  readonly parent: Span | undefined;
  readonly span: Span;
  ended: boolean;
}

/** Keeps the spans it is asked for. */
const recordingTracer = (): { readonly tracer: Tracer; readonly spans: Recorded[] } => {
  const spans: Recorded[] = [];
  const startSpan = (name: string, options: SpanOptions = {}, within: Context = context.active()): Span => {
    const attributes: Attributes = { ...options.attributes };
    const span = trace.wrapSpanContext({ traceId: '0'.repeat(31) + '1', spanId: `${spans.length + 1}`.padStart(16, '0'), traceFlags: 1 });
    const recorded: Recorded = { name, attributes, parent: trace.getSpan(within), span, ended: false };
    span.setAttribute = (key, value) => {
      attributes[key] = value;
      return span;
    };
    span.end = () => {
      recorded.ended = true;
    };
    spans.push(recorded);
    return span;
  };
  return { tracer: { startSpan, startActiveSpan: () => expect.fail('not used') }, spans };
};

describe('tracing', () => {
  let upstream: FakeUpstream;
  before(async () => {
    upstream = await startFakeUpstream();
  });
  after(() => upstream.close());

  it('makes a span for the call and one for each attempt within it, and says how they ended', async () => {
    const { tracer, spans } = recordingTracer();
    const relay = await startRelay({ tracer });
    relay.directory.channels = [channel(upstream.baseUrl, { priority: 1, keys: ['sk-1'] }), channel(upstream.baseUrl, { keys: ['sk-2'] })];
    relay.directory.prices.set('m', chatPrice('m'));
    upstream.when({ key: 'sk-1' }, { fail: 'status', status: 500 });
    const response = await relay.post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'secret words' }] });
    await response.text();
    await relay.idle();
    await relay.close();
    const [call, ...attempts] = spans;
    expect(call?.name).to.equal('/v1/chat/completions');
    expect(call?.attributes).to.deep.include({
      'oblivious.outcome': 'answered',
      'oblivious.request_id': response.headers.get('x-request-id'),
    });
    expect(attempts.map(({ attributes }) => attributes['oblivious.outcome'])).to.deep.equal(['failed', 'answered']);
    expect(attempts.every(({ parent }) => parent === call?.span)).to.equal(true);
    expect(spans.every(({ ended }) => ended)).to.equal(true);
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.to.match(/secret|sk-/);
  });
});
