import { expect } from 'chai';
import type { Request, Response } from 'express';
import fc from 'fast-check';
import { CompletionChunks as OfAnthropic } from '../../../domain/dialects/anthropic/completion-chunks.ts';
import type { Teller, Told } from '../../../domain/dialects/chat/told.ts';
import { CohereChunks } from '../../../domain/dialects/cohere/completion-chunks.ts';
import { ConverseChunks } from '../../../domain/dialects/converse/completion-chunks.ts';
import { CompletionChunks as OfGemini } from '../../../domain/dialects/gemini/completion-chunks.ts';
import { OllamaChunks } from '../../../domain/dialects/ollama/completion-chunks.ts';
import { Call } from '../../../gateways/relay/call.ts';
import { anthropicAnswers } from '../../../gateways/relay/dialects/anthropic-answers.ts';
import type { AnswerDialect } from '../../../gateways/relay/dialects/answer-dialect.ts';
import { cohereAnswers } from '../../../gateways/relay/dialects/cohere-answers.ts';
import { converseAnswers } from '../../../gateways/relay/dialects/converse-answers.ts';
import { geminiAnswers, geminiArrayAnswers } from '../../../gateways/relay/dialects/gemini-answers.ts';
import { mistralAnswers } from '../../../gateways/relay/dialects/mistral-answers.ts';
import { ollamaAnswers } from '../../../gateways/relay/dialects/ollama-answers.ts';
import { openaiAnswers } from '../../../gateways/relay/dialects/openai-answers.ts';
import { responsesAnswers } from '../../../gateways/relay/dialects/responses-answers.ts';
import { bytesOf, sizeOf, type HubListener } from '../../../gateways/relay/hub-events.ts';
import { endStream } from '../../../gateways/relay/last-events.ts';
import { Opening, type Opened } from '../../../gateways/relay/opening.ts';
import { DEFAULT_RELAY_LIMITS } from '../../../gateways/relay/relay-limits.ts';
import { dataOf, forEachEvent, isDone } from '../../../gateways/relay/sse.ts';
import { relayStream } from '../../../gateways/relay/stream.ts';
import { EventTranslation } from '../../../gateways/relay/upstreams/event-translation.ts';
import { FrameTranslation } from '../../../gateways/relay/upstreams/frame-translation.ts';
import { LineTranslation } from '../../../gateways/relay/upstreams/line-translation.ts';
import { askInResponses } from '../../../gateways/relay/upstreams/responses-upstream.ts';
import { TranslatedAnswer, type StreamTranslation, type Translation } from '../../../gateways/relay/upstreams/translated-answer.ts';
import type { Ask, Interpreter } from '../../../gateways/relay/upstreams/upstream-dialect.ts';
import { Watch } from '../../../gateways/relay/watch.ts';

import type { RequestId } from '../../../schemas/ids.ts';
import type { Money } from '../../../schemas/money.ts';
import { anthropicEvents, anthropicMessage } from '../../support/fake-upstream/anthropic-mock.ts';
import { converseAnswer, converseFrames } from '../../support/fake-upstream/bedrock-mock.ts';
import { cohereAnswer, cohereEvents } from '../../support/fake-upstream/cohere-mock.ts';
import { geminiEvents, geminiResponse } from '../../support/fake-upstream/gemini-mock.ts';
import { ollamaAnswer, ollamaLines } from '../../support/fake-upstream/ollama-mock.ts';
import { RECORDED_RESPONSE } from './upstreams/recorded-response.ts';
import { SIGNED_STREAMS } from './upstreams/signed-streams.ts';

type Json = Readonly<Record<string, unknown>>;

/** Little enough is kept unread for some of it to be read on the way. */
const LIMITS = { ...DEFAULT_RELAY_LIMITS, uncountedBytes: 400 };

interface Recorded {
  /** As they are sent; cut between events or lines. */
  readonly pieces: readonly Buffer[];
  readonly hears: (listener: HubListener) => Interpreter;
}

const bytes = (texts: readonly string[]): readonly Buffer[] => texts.map((text) => Buffer.from(text));

const hearing =
  (stream: () => StreamTranslation): Recorded['hears'] =>
  (listener) => {
    const translation: Translation = { answer: () => null, error: (_status, body) => body, stream };
    return new TranslatedAnswer(translation, true, LIMITS, listener);
  };

const events = (teller: () => Teller, named = false): Recorded['hears'] =>
  hearing(() => new EventTranslation(teller(), LIMITS.eventBytes, named));

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Grüße ☀' }] };

/** As many pieces of text as it takes for nobody to parse them any more. */
const anthropicTexts = (): readonly string[] => {
  const said = anthropicEvents(anthropicMessage({ messages: ASKED.messages }));
  const at = said.findIndex((event) => event.includes('text_delta'));
  const delta = said[at] ?? '';
  const more = Array.from({ length: 8 }, (_, index) => delta.replace(/"text":"[^"]*"/, `"text":"Wörter ${index} \\"☀\\" "`));
  return [...said.slice(0, at), ...more, ...said.slice(at)];
};

const OF_RESPONSES: readonly Json[] = [
  { type: 'response.created', response: { ...RECORDED_RESPONSE, status: 'in_progress', output: [], usage: null } },
  ...['Grü', 'ße'].map((delta) => ({ type: 'response.output_text.delta', output_index: 0, item_id: 'msg_theirs', delta })),
  ...['Grüße', 'Grüße ', 'Grüße!'].map((text) => ({ type: 'response.output_text.done', output_index: 0, item_id: 'msg_theirs', text })),
  { type: 'response.completed', response: RECORDED_RESPONSE },
];

const inResponses: Recorded['hears'] = (listener) => {
  const ask = {
    parsed: { endpoint: 'chat', request: { ...ASKED, stream: true } },
    upstreamModel: 'm',
    loweredOutput: null,
    limits: LIMITS,
  } as unknown as Parameters<typeof askInResponses>[1];
  const { interpreter } = askInResponses({ request: {}, bytes: 2, toolUses: 0, unsayable: null }, ask satisfies Partial<Ask>);
  if (interpreter === null) throw new Error('it is heard in the form that it has');
  return interpreter(listener);
};

const converse = (): StreamTranslation => {
  const chunks = new ConverseChunks('chatcmpl-1', 1, 'm');
  return new FrameTranslation(
    {
      push: ({ headers, payload }) => chunks.push(headers.get(':event-type') ?? '', JSON.parse(payload.toString('utf8'))),
      end: () => [],
    },
    LIMITS.eventBytes,
  );
};

const gemini = (): Teller => new OfGemini('gemini-3-flash', 1);
const anthropic = (): Teller => new OfAnthropic(1);
const ERROR = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };

const STREAMS: Readonly<Record<string, Recorded>> = {
  'Messages, text': { pieces: bytes(anthropicTexts()), hears: events(anthropic) },
  'Messages, calls and thoughts': {
    pieces: bytes(
      anthropicEvents(anthropicMessage({ messages: ASKED.messages, tools: [{ name: 'look' }], thinking: { type: 'adaptive' } })),
    ),
    hears: events(anthropic),
  },
  'Messages, an error in the middle': {
    pieces: bytes([...anthropicTexts().slice(0, 6), `event: error\ndata: ${JSON.stringify(ERROR)}\n\n`]),
    hears: events(anthropic),
  },
  'generateContent, text': {
    pieces: bytes(geminiEvents(geminiResponse({ contents: [{ parts: [{ text: 'Grüße' }] }] }))),
    hears: events(gemini),
  },
  'generateContent, calls': {
    pieces: bytes(geminiEvents(geminiResponse({ contents: [{ parts: [] }], tools: [{ functionDeclarations: [{ name: 'look' }] }] }))),
    hears: events(gemini),
  },
  'generateContent, usage that cannot be': {
    pieces: bytes([
      'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":-3}}\r\n\r\n',
    ]),
    hears: events(gemini),
  },
  'Cohere, calls': { pieces: bytes(cohereEvents(cohereAnswer({ ...ASKED, tools: [{}] }))), hears: events(() => new CohereChunks(1, 'm')) },
  Ollama: {
    pieces: bytes(ollamaLines(ollamaAnswer({ ...ASKED, think: true }))),
    hears: hearing(() => new LineTranslation(new OllamaChunks(1, 'm'), LIMITS.eventBytes)),
  },
  'Converse, calls': {
    pieces: converseFrames(converseAnswer({ messages: [{ role: 'user', content: [{ text: 'Hello.' }] }], toolConfig: {} })),
    hears: hearing(converse),
  },
  Responses: { pieces: bytes(OF_RESPONSES.map((event) => `data: ${JSON.stringify(event)}\n\n`)), hears: inResponses },
  ...Object.fromEntries(
    Object.entries(SIGNED_STREAMS).map(([name, { teller, named, stream }]) => [
      name,
      { pieces: [Buffer.from(stream)], hears: events(teller, named) },
    ]),
  ),
};

const CLIENTS: Readonly<Record<string, AnswerDialect>> = {
  'chat completions': openaiAnswers,
  Messages: anthropicAnswers,
  generateContent: geminiAnswers,
  'generateContent, as an array': geminiArrayAnswers,
  Cohere: cohereAnswers,
  Mistral: mistralAnswers,
  Ollama: ollamaAnswers,
  Converse: converseAnswers,
  Responses: responsesAnswers({ request: { model: 'm', input: 'Grüße' }, startedAt: 0, now: () => 0, keep: null }),
};

const USAGE = { input: 3, output: 2 };
const nothing = (): void => undefined;

/** Everything that a stream comes to, for its client and for its charge. */
interface Outcome {
  readonly opened: Opened['kind'];
  readonly sent: string;
  readonly result: unknown;
}

interface Way {
  readonly client: AnswerDialect;
  readonly isToBeMadeBytes: boolean;
  readonly usageWanted: boolean;
  readonly renamedTo: string | null;
  readonly isCut: boolean;
}

const heard = async ({ hears }: Recorded, pieces: readonly Buffer[], way: Way): Promise<Outcome> => {
  const stopwatch = { elapsed: () => 0 };
  const { client } = way;
  const sent: Buffer[] = [];
  const res = {
    destroyed: false,
    writeHead: nothing,
    once: nothing,
    write: (piece: Buffer | string) => sent.push(Buffer.from(piece as string)) > 0,
    end: (last: Buffer) => sent.push(last),
  };
  const req = { socket: { destroyed: false }, headers: {} };
  const call = new Call(req as unknown as Request, res as unknown as Response, 'chat', client, 'req_1' as RequestId, 0, 0);
  call.model = 'm';
  let settle: (opened: Opened) => void = nothing;
  const opening = new Promise<Opened>((resolve) => {
    settle = resolve;
  });
  const exchange = { resume: nothing, abort: nothing };
  const listening = new Opening({ answers: 'asked', streamed: true, readOn: false, begun: 0, withinMs: 1, ...LIMITS }, (opened) =>
    settle(opened),
  );
  listening.begin(exchange);
  const hub: HubListener = way.isToBeMadeBytes
    ? {
        headers: (status, headers) => listening.headers(status, headers),
        data: (said) => listening.data(bytesOf(said)),
        whole: (answer) => listening.whole(answer),
        end: () => listening.end(),
        failed: (fault) => listening.failed(fault),
      }
    : listening;
  const interpreter = hears(hub);
  interpreter.begin(exchange);
  interpreter.headers(200, { 'content-type': 'text/event-stream' });
  // Half of it waits for its reader.
  const before = Math.ceil(pieces.length / 2);
  for (const piece of pieces.slice(0, before)) interpreter.data(piece);
  const rest = (): void => {
    for (const piece of pieces.slice(before)) interpreter.data(piece);
    if (way.isCut) interpreter.failed({ kind: 'broken', message: 'cut' });
    else interpreter.end();
  };
  let hasCome = false;
  void opening.then(() => {
    hasCome = true;
  });
  await Promise.resolve();
  if (!hasCome) rest();
  const opened = await opening;
  if (opened.kind !== 'stream') return { opened: opened.kind, sent: '', result: opened };
  const writer = client.streamWriter({ requestId: call.requestId, model: 'm' });
  const { usageWanted, renamedTo } = way;
  const options = {
    usageWanted,
    renamedTo: writer === null ? renamedTo : null,
    chunkObject: 'chat.completion.chunk',
    native: null,
    writer,
    readOn: false,
  } as const;
  const relayed = relayStream({ limits: LIMITS, stopwatch, watch: new Watch(stopwatch, 60_000) }, call, opened.source, [], options);
  if (hasCome) rest();
  const result = await relayed;
  const last = writer !== null && result.end === 'done' ? await writer.end(USAGE) : null;
  endStream(call, result, { cost: 5n as Money, tokens: null }, { ...options, closer: writer, last });
  const { end, reading, produced, usageEvent, doneEvent } = result;
  return {
    opened: opened.kind,
    sent: Buffer.concat(sent).toString('latin1'),
    result: {
      end,
      reading,
      isEmpty: produced.empty,
      // Nobody asks any more once the usage is known, and how much of it was read before depends on its size.
      said: reading.kind === 'reported' ? null : { hasFinished: produced.finished(), countable: produced.countable() },
      usageEvent: usageEvent?.toString(),
      doneEvent: doneEvent?.toString(),
    },
  };
};

describe('a stream that was told in the hub’s form', () => {
  for (const [from, recorded] of Object.entries(STREAMS))
    for (const [to, client] of Object.entries(CLIENTS))
      it(`comes to the same whether it is handed over as chunks or as bytes (${from}, a client of ${to})`, async () => {
        const whole = Buffer.concat(recorded.pieces);
        const alike = async (pieces: readonly Buffer[], more: Pick<Way, 'usageWanted' | 'renamedTo' | 'isCut'>): Promise<Outcome> => {
          const told = await heard(recorded, pieces, { client, isToBeMadeBytes: false, ...more });
          expect(told).to.deep.equal(await heard(recorded, pieces, { client, isToBeMadeBytes: true, ...more }));
          return told;
        };
        const plain = await alike(recorded.pieces, { usageWanted: true, renamedTo: null, isCut: false });
        expect(plain.opened).to.equal('stream');
        expect(plain.sent).not.to.equal('');
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.nat(whole.length), { maxLength: 10 }),
            fc.boolean(),
            fc.boolean(),
            fc.option(fc.constant('other')),
            async (cuts, isCut, usageWanted, renamedTo) => {
              const [end = whole.length, ...places] = [...cuts].sort((a, b) => b - a);
              const all = isCut ? whole.subarray(0, end) : whole;
              const starts = [...places.reverse(), all.length];
              const pieces = starts.map((stop, index) => all.subarray(starts[index - 1] ?? 0, stop));
              await alike(pieces, { usageWanted, renamedTo, isCut });
            },
          ),
          { numRuns: 12 },
        );
      });

  for (const [name, { pieces, hears }] of Object.entries(STREAMS))
    it(`never changes what was told (${name})`, () => {
      const told: { readonly said: readonly Told[]; readonly json: string }[] = [];
      const interpreter = hears({
        headers: nothing,
        data: (said) => {
          if (Buffer.isBuffer(said)) throw new Error('it is told as chunks');
          told.push({ said, json: JSON.stringify(said) });
          return true;
        },
        whole: nothing,
        end: nothing,
        failed: nothing,
      });
      interpreter.headers(200, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) interpreter.data(piece);
      interpreter.end();
      expect(told).not.to.deep.equal([]);
      for (const { said, json } of told) {
        expect(JSON.stringify(said)).to.equal(json);
        for (const one of said)
          if (typeof one !== 'string') expect(String(bytesOf([one]))).to.equal(`data: ${JSON.stringify(one.chunk)}\n\n`);
      }
    });

  it('says any piece of text as JSON does', () => {
    const saidIn = (client: AnswerDialect, told: readonly Told[]): readonly unknown[] => {
      const writer = client.streamWriter({ requestId: 'req_1' as RequestId, model: 'm' });
      const all: unknown[] = [];
      forEachEvent(writer === null ? bytesOf(told) : Buffer.from(writer.write(told)), (event) => {
        const data = dataOf(event) ?? '';
        const value: unknown = JSON.parse(data);
        expect(data).to.equal(JSON.stringify(value));
        all.push(value);
      });
      return all;
    };
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const told = anthropic().push({ type: 'content_block_delta', delta: { type: 'text_delta', text } });
        expect(saidIn(openaiAnswers, told)).to.have.nested.property('[0].choices[0].delta').that.deep.equals({ content: text });
        expect(saidIn(geminiAnswers, told)).to.have.nested.property('[0].candidates[0].content.parts').that.deep.equals([{ text }]);
        expect(saidIn(anthropicAnswers, told).at(-1)).to.deep.equal({
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'text_delta', text },
        });
      }),
    );
  });

  it('is as large as its texts, or larger', () => {
    const teller = anthropic();
    const said = teller.push({ type: 'content_block_delta', delta: { type: 'text_delta', text: 'x'.repeat(5_000) } });
    expect(sizeOf(said)).to.be.within(5_000, 5_500);
    expect(sizeOf(bytesOf(said))).to.be.within(5_000, 5_500);
    expect(sizeOf(['done', { chunk: { error: { message: 'y'.repeat(5_000) } } }])).to.be.within(5_000, 5_500);
  });
});

/** Writes other words into everything within a value. */
const scramble = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value as Record<string, unknown>)) {
    if (typeof member === 'string') (value as Record<string, unknown>)[name] = 'other words';
    else scramble(member);
  }
};

describe('what is told of an event', () => {
  const tellers: Readonly<Record<string, { readonly teller: () => Teller; readonly pieces: readonly Buffer[] }>> = {
    Messages: { teller: anthropic, pieces: STREAMS['Messages, calls and thoughts']?.pieces ?? [] },
    generateContent: { teller: gemini, pieces: STREAMS['generateContent, calls']?.pieces ?? [] },
    Cohere: { teller: () => new CohereChunks(1, 'm'), pieces: STREAMS['Cohere, calls']?.pieces ?? [] },
    ...Object.fromEntries(
      Object.entries(SIGNED_STREAMS)
        .filter(([, { named }]) => named === undefined)
        .map(([name, { teller, stream }]) => [name, { teller, pieces: [Buffer.from(stream)] }]),
    ),
  };
  for (const [name, { teller, pieces }] of Object.entries(tellers))
    it(`stays as it is when the event comes again with other words (${name})`, () => {
      const telling = teller();
      let count = 0;
      forEachEvent(Buffer.concat(pieces), (event) => {
        const data = dataOf(event);
        if (data === null || isDone(data)) return;
        const value: unknown = JSON.parse(data);
        const told = telling.push(value);
        const json = JSON.stringify(told);
        scramble(value);
        expect(JSON.stringify(told)).to.equal(json);
        count += told.length;
      });
      expect(count).to.be.greaterThan(1);
    });
});
