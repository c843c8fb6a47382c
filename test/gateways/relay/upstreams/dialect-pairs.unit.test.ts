import { CompletionChunks as OfAnthropic } from '../../../../domain/dialects/anthropic/completion-chunks.ts';
import { CompletionChunks as OfGemini } from '../../../../domain/dialects/gemini/completion-chunks.ts';
import { anthropicAnswers } from '../../../../gateways/relay/dialects/anthropic-answers.ts';
import type { AnswerDialect } from '../../../../gateways/relay/dialects/answer-dialect.ts';
import { geminiAnswers, geminiArrayAnswers } from '../../../../gateways/relay/dialects/gemini-answers.ts';
import { EventSplitter } from '../../../../gateways/relay/sse.ts';
import { EventTranslation } from '../../../../gateways/relay/upstreams/event-translation.ts';
import { GARBLED, type StreamTranslation } from '../../../../gateways/relay/upstreams/translated-answer.ts';
import type { RequestId } from '../../../../schemas/ids.ts';
import { anthropicEvents, anthropicMessage } from '../../../support/fake-upstream/anthropic-mock.ts';
import { geminiEvents, geminiResponse } from '../../../support/fake-upstream/gemini-mock.ts';
import { openaiEvents } from '../../../support/fake-upstream/openai-mock.ts';
import { expectEverySplitTellsTheSame } from './every-split.ts';

const EVENT_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** The hub's own form, cut into whole events as the relay does it. */
class Whole implements StreamTranslation {
  readonly #splitter = new EventSplitter(EVENT_BYTES);

  push(piece: Buffer): Buffer | typeof GARBLED {
    const events = this.#splitter.push(piece);
    return events === 'overflow' ? GARBLED : (events ?? NOTHING);
  }

  end(): Buffer {
    return this.#splitter.rest();
  }
}

/** From an upstream's dialect through the hub's form into a client's. */
const through = (upstream: StreamTranslation, client: AnswerDialect): StreamTranslation => {
  const writer = client.streamWriter({ requestId: 'req_1' as RequestId, model: 'm' });
  if (writer === null) throw new Error('it has no stream of its own');
  return {
    push: (piece) => {
      const events = upstream.push(piece);
      return events === GARBLED ? GARBLED : Buffer.from(writer.write(events));
    },
    end: () => Buffer.concat([Buffer.from(writer.write(upstream.end())), writer.end({ input: 3, output: 2 }) as Buffer]),
  };
};

const ASKED = [{ role: 'user', content: 'Grüße' }];

const STREAMS = {
  'chat completions': {
    stream: openaiEvents({ messages: ASKED, tools: [{ type: 'function', function: { name: 'look' } }] }).join(''),
    read: (): StreamTranslation => new Whole(),
  },
  Messages: {
    stream: anthropicEvents(anthropicMessage({ messages: ASKED, tools: [{ name: 'look' }], thinking: { type: 'adaptive' } })).join(''),
    read: (): StreamTranslation => new EventTranslation(new OfAnthropic(1), EVENT_BYTES),
  },
  generateContent: {
    stream: geminiEvents(geminiResponse({ contents: [{ parts: [] }], tools: [{ functionDeclarations: [{ name: 'look' }] }] })).join(''),
    read: (): StreamTranslation => new EventTranslation(new OfGemini('gemini-3-flash', 1), EVENT_BYTES),
  },
} as const;

const CLIENTS = { Anthropic: anthropicAnswers, Google: geminiAnswers, 'Google, as an array': geminiArrayAnswers } as const;

describe('a stream from one dialect into another', () => {
  for (const [from, { stream, read }] of Object.entries(STREAMS))
    for (const [to, client] of Object.entries(CLIENTS))
      it(`is told in the same words however it is cut (${from}, a client of ${to})`, () =>
        expectEverySplitTellsTheSame(stream, () => through(read(), client), 11));
});
