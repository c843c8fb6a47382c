import { expect } from 'chai';
import fc from 'fast-check';
import { anthropicAnswers } from '../../../gateways/relay/dialects/anthropic-answers.ts';
import type { AnswerDialect } from '../../../gateways/relay/dialects/answer-dialect.ts';
import { cohereAnswers } from '../../../gateways/relay/dialects/cohere-answers.ts';
import { converseAnswers } from '../../../gateways/relay/dialects/converse-answers.ts';
import { geminiAnswers } from '../../../gateways/relay/dialects/gemini-answers.ts';
import { mistralAnswers } from '../../../gateways/relay/dialects/mistral-answers.ts';
import { ollamaAnswers } from '../../../gateways/relay/dialects/ollama-answers.ts';
import { openaiAnswers } from '../../../gateways/relay/dialects/openai-answers.ts';
import { responsesAnswers } from '../../../gateways/relay/dialects/responses-answers.ts';
import { renameModel } from '../../../gateways/relay/convert.ts';
import { rulesOf } from '../../../gateways/relay/endpoints/endpoints.ts';
import { bytesOfAnswer, valueOfAnswer, type HubAnswer } from '../../../gateways/relay/hub-answer.ts';
import { Opening, type Opened } from '../../../gateways/relay/opening.ts';
import { DEFAULT_RELAY_LIMITS } from '../../../gateways/relay/relay-limits.ts';
import { scanAnswer } from '../../../gateways/relay/scan-answer.ts';
import { anthropicUpstream } from '../../../gateways/relay/upstreams/anthropic-upstream.ts';
import { bedrockUpstream } from '../../../gateways/relay/upstreams/bedrock-upstream.ts';
import { cohereUpstream } from '../../../gateways/relay/upstreams/cohere-upstream.ts';
import { dashscopeUpstream } from '../../../gateways/relay/upstreams/dashscope-upstream.ts';
import { geminiUpstream } from '../../../gateways/relay/upstreams/gemini-upstream.ts';
import { ollamaUpstream } from '../../../gateways/relay/upstreams/ollama-upstream.ts';
import { askInResponses } from '../../../gateways/relay/upstreams/responses-upstream.ts';
import type { Ask, Asked, UpstreamDialect } from '../../../gateways/relay/upstreams/upstream-dialect.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import type { RequestId } from '../../../schemas/ids.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import { anthropicMessage } from '../../support/fake-upstream/anthropic-mock.ts';
import { converseAnswer } from '../../support/fake-upstream/bedrock-mock.ts';
import { cohereAnswer } from '../../support/fake-upstream/cohere-mock.ts';
import { geminiResponse } from '../../support/fake-upstream/gemini-mock.ts';
import { ollamaAnswer } from '../../support/fake-upstream/ollama-mock.ts';
import { RECORDED_RESPONSE } from './upstreams/recorded-response.ts';

type Json = Readonly<Record<string, unknown>>;

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Grüße ☀' }] };
const PRICE: ModelPrice = { model: 'm', kind: 'chat', rates: {} } as unknown as ModelPrice;

type Asks = (ask: Ask) => Asked | Refusal;

const asking = (upstream: UpstreamDialect): Asks => upstream.ask;
const inResponses: Asks = (ask) =>
  askInResponses({ request: {}, bytes: 2, toolUses: 0, unsayable: null }, ask as Parameters<typeof askInResponses>[1]);

interface Recorded {
  readonly asks: Asks;
  readonly endpoint?: 'chat' | 'embeddings';
  readonly status?: number;
  readonly said: Json;
}

const TOOLS = [{ name: 'look' }];
const MESSAGE = anthropicMessage({ messages: ASKED.messages });
const GENERATED = geminiResponse({ contents: [{ parts: [{ text: 'Grüße' }] }] });

const ANSWERS: Readonly<Record<string, Recorded>> = {
  'Messages, text': { asks: asking(anthropicUpstream), said: MESSAGE },
  'Messages, calls and thoughts': {
    asks: asking(anthropicUpstream),
    said: anthropicMessage({ messages: ASKED.messages, tools: TOOLS, thinking: { type: 'adaptive' } }),
  },
  'Messages, no usage': { asks: asking(anthropicUpstream), said: { ...MESSAGE, usage: null } },
  'Messages, usage that cannot be': { asks: asking(anthropicUpstream), said: { ...MESSAGE, usage: { input_tokens: '3' } } },
  'Messages, an error with success': {
    asks: asking(anthropicUpstream),
    said: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  },
  'generateContent, text': { asks: asking(geminiUpstream), said: GENERATED },
  'generateContent, calls': {
    asks: asking(geminiUpstream),
    said: geminiResponse({ contents: [{ parts: [] }], tools: [{ functionDeclarations: TOOLS }] }),
  },
  'generateContent, a blocked prompt': { asks: asking(geminiUpstream), said: { promptFeedback: { blockReason: 'SAFETY' } } },
  'generateContent, usage that cannot be': {
    asks: asking(geminiUpstream),
    said: { ...GENERATED, usageMetadata: { promptTokenCount: -3 } },
  },
  'generateContent, nothing that it knows': { asks: asking(geminiUpstream), said: { a: 1 } },
  'Google’s embeddings': { asks: asking(geminiUpstream), endpoint: 'embeddings', said: { embeddings: [{ values: [1, 0.5] }] } },
  'Cohere, calls': { asks: asking(cohereUpstream), said: cohereAnswer({ ...ASKED, tools: [{}] }) },
  'Cohere’s embeddings': {
    asks: asking(cohereUpstream),
    endpoint: 'embeddings',
    said: { id: 'e', embeddings: { float: [[1, 0.5]] }, meta: { billed_units: { input_tokens: 4 } } },
  },
  Ollama: { asks: asking(ollamaUpstream), said: ollamaAnswer({ ...ASKED, think: true }) },
  Converse: { asks: asking(bedrockUpstream), said: converseAnswer({ messages: [{ role: 'user', content: [{ text: 'Hello.' }] }] }) },
  DashScope: {
    asks: asking(dashscopeUpstream),
    said: {
      output: { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: 'Grüße' } }] },
      usage: { input_tokens: 20, output_tokens: 7 },
      request_id: 'r',
    },
  },
  Responses: { asks: inResponses, said: RECORDED_RESPONSE },
  'Responses, no name of a model': { asks: inResponses, said: { ...RECORDED_RESPONSE, model: undefined } },
  'Responses, one that failed': { asks: inResponses, said: { ...RECORDED_RESPONSE, status: 'failed', error: null } },
};

const CLIENTS: Readonly<Record<string, AnswerDialect>> = {
  'chat completions': openaiAnswers,
  Messages: anthropicAnswers,
  generateContent: geminiAnswers,
  Cohere: cohereAnswers,
  Mistral: mistralAnswers,
  Ollama: ollamaAnswers,
  Converse: converseAnswers,
  Responses: responsesAnswers({ request: { model: 'm', input: 'Grüße' }, startedAt: 0, now: () => 0, keep: null }),
};

/** What the relay hears of a whole answer. */
const opened = ({ asks, endpoint = 'chat', status = 200 }: Recorded, body: Buffer): Extract<Opened, { kind: 'body' }> => {
  const request = endpoint === 'chat' ? ASKED : { model: 'm', input: 'Grüße' };
  const asked = asks({
    parsed: { endpoint, request },
    native: null,
    upstreamModel: 'm',
    loweredOutput: null,
    modelLimit: null,
    createdAt: 1,
    limits: DEFAULT_RELAY_LIMITS,
  } as unknown as Ask);
  if (isRefusal(asked) || asked.interpreter === null) throw new Error('it is told in the hub’s form');
  const all: Opened[] = [];
  const opening = new Opening(
    { answers: 'asked', streamed: false, readOn: false, begun: 0, withinMs: 1, ...DEFAULT_RELAY_LIMITS },
    (one) => void all.push(one),
  );
  const interpreter = asked.interpreter(opening);
  interpreter.headers(status, { 'content-type': 'application/json' });
  interpreter.data(body.subarray(0, 7));
  interpreter.data(body.subarray(7));
  interpreter.end();
  const [only] = all;
  if (all.length !== 1 || only?.kind !== 'body') throw new Error('it is whole');
  return only;
};

/** Everything that an answer comes to, for its charge and for its client. */
const outcome = async (answer: HubAnswer, endpoint: 'chat' | 'embeddings', client: AnswerDialect): Promise<unknown> => {
  const scanned = scanAnswer(answer, false, null);
  if ('fault' in scanned) return scanned;
  const rules = rulesOf(endpoint);
  const itself = { requestId: 'req_1' as RequestId, model: 'ours' };
  const renamed = bytesOfAnswer(renameModel(answer, scanned.model, 'ours'));
  return {
    reading: rules.reading({ body: answer, usage: scanned.usage }, {} as never, PRICE),
    produced: rules.produced(answer),
    sent: JSON.parse(
      String(client.answer === null ? renamed : await client.answer(valueOfAnswer(answer), { input: 3, output: 2 }, itself)),
    ) as unknown,
  };
};

const told = ({ body }: { readonly body: HubAnswer }): Json => {
  if (Buffer.isBuffer(body)) throw new Error('it is told as a value');
  return body;
};

describe('a whole answer that was told in the hub’s form', () => {
  for (const [from, recorded] of Object.entries(ANSWERS))
    for (const [to, client] of Object.entries(CLIENTS))
      it(`comes to the same whether it is handed over as a value or as bytes (${from}, a client of ${to})`, async () => {
        const { endpoint = 'chat' } = recorded;
        const value = told(opened(recorded, Buffer.from(JSON.stringify(recorded.said))));
        const json = JSON.stringify(value);
        const asValue = await outcome(value, endpoint, client);
        expect(asValue).to.deep.equal(await outcome(Buffer.from(json), endpoint, client));
        expect(JSON.stringify(value), 'what was told never changes').to.equal(json);
      });

  const usageOf = (said: Json): unknown => {
    const recorded = { asks: asking(anthropicUpstream), said: { ...MESSAGE, usage: said } };
    const value = told(opened(recorded, Buffer.from(JSON.stringify(recorded.said))));
    const asBytes = Buffer.from(JSON.stringify(value));
    const read = (answer: HubAnswer): unknown => {
      const scanned = scanAnswer(answer, true, null);
      if (!('fault' in scanned)) throw new Error('no stream was asked for');
      const plain = scanAnswer(answer, false, null);
      if ('fault' in plain) throw new Error('it is an answer');
      return [scanned, rulesOf('chat').reading({ body: answer, usage: plain.usage }, {} as never, PRICE)];
    };
    expect(read(value)).to.deep.equal(read(asBytes));
    return read(value);
  };

  it('took what its usage says, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            input_tokens: fc.oneof(fc.nat(1_000_000), fc.jsonValue({ maxDepth: 1 })),
            output_tokens: fc.oneof(fc.nat(1_000_000), fc.jsonValue({ maxDepth: 1 })),
            cache_read_input_tokens: fc.oneof(fc.nat(1_000), fc.maxSafeInteger(), fc.constant(null)),
            cache_creation_input_tokens: fc.oneof(fc.nat(1_000), fc.double({ noNaN: true, noDefaultInfinity: true })),
            server_tool_use: fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.record({ web_search_requests: fc.nat(9) })),
          },
          { requiredKeys: [] },
        ),
        (usage) => void usageOf(usage),
      ),
    );
  });

  it('cannot be believed where it says a number that is none', () => {
    const body = Buffer.from(JSON.stringify(MESSAGE).replace(/"output_tokens":\d+/, '"output_tokens":1e999'));
    const value = told(opened({ asks: asking(anthropicUpstream), said: MESSAGE }, body));
    expect(rulesOf('chat').reading({ body: value, usage: null }, {} as never, PRICE)).to.include({ kind: 'unbelievable' });
  });

  it('is an error’s bytes where the status says that it is one', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const recorded = { asks: asking(anthropicUpstream), status: 529, said: error };
    const { status, body } = opened(recorded, Buffer.from(JSON.stringify(error)));
    expect(status).to.equal(529);
    expect(Buffer.isBuffer(body)).to.equal(true);
  });
});
