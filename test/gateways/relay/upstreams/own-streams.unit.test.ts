import { expect } from 'chai';
import { CohereChunks } from '../../../../domain/dialects/cohere/completion-chunks.ts';
import { cohereCompletion } from '../../../../domain/dialects/cohere/completion.ts';
import { OllamaChunks } from '../../../../domain/dialects/ollama/completion-chunks.ts';
import { ollamaCompletion } from '../../../../domain/dialects/ollama/completion.ts';
import { EventTranslation } from '../../../../gateways/relay/upstreams/event-translation.ts';
import { LineTranslation } from '../../../../gateways/relay/upstreams/line-translation.ts';
import { GARBLED, type StreamTranslation } from '../../../../gateways/relay/upstreams/translated-answer.ts';
import { cohereAnswer, cohereEvents } from '../../../support/fake-upstream/cohere-mock.ts';
import { ollamaAnswer, ollamaLines } from '../../../support/fake-upstream/ollama-mock.ts';
import { chunksOf, expectEverySplitTellsTheSame } from './every-split.ts';

type Json = Readonly<Record<string, unknown>>;

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Grüße ☀' }] };
const CALLING = { ...ASKED, tools: [{}] };
const THINKING = { ...ASKED, thinking: { type: 'enabled' }, think: true };
const LARGEST = 1024 * 1024;

const FORMATS: Readonly<
  Record<
    string,
    {
      translation: () => StreamTranslation;
      answer: (asked: Json) => Json;
      pieces: (answer: Json) => readonly string[];
      whole: (answer: unknown) => Json | null;
    }
  >
> = {
  cohere: {
    translation: () => new EventTranslation(new CohereChunks(1, 'm'), LARGEST),
    answer: cohereAnswer,
    pieces: cohereEvents,
    whole: (answer) => cohereCompletion(answer, 1, 'm'),
  },
  ollama: {
    translation: () => new LineTranslation(new OllamaChunks(1, 'm'), LARGEST),
    answer: ollamaAnswer,
    pieces: ollamaLines,
    whole: (answer) => ollamaCompletion(answer, 1, 'm'),
  },
};

interface Message {
  readonly content: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
}

interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta: Partial<Message> & { readonly tool_calls?: readonly { readonly index: number }[] };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: unknown;
}

/** A stream's chunks put together as a client would. */
const collected = (chunks: readonly Chunk[]): { readonly message: Message; readonly finish: string | null; readonly usage: unknown } => {
  let content = '';
  let reasoning = '';
  let finish: string | null = null;
  const calls: { id: string; type: 'function'; function: { name: string; arguments: string } }[] = [];
  for (const { choices } of chunks)
    for (const { delta, finish_reason: reason } of choices) {
      content += delta.content ?? '';
      reasoning += delta.reasoning_content ?? '';
      finish = reason ?? finish;
      for (const piece of delta.tool_calls ?? []) {
        const { index } = piece as unknown as { index: number };
        const call = (calls[index] ??= { id: piece.id, type: 'function', function: { name: piece.function.name, arguments: '' } });
        call.function.arguments += piece.function.arguments;
      }
    }
  const message = {
    content: content === '' ? null : content,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return { message, finish, usage: chunks.at(-1)?.usage };
};

for (const [name, { translation, answer, pieces, whole }] of Object.entries(FORMATS))
  describe(`a stream of ${name}’s as one of OpenAI’s`, () => {
    for (const [what, asked] of Object.entries({ text: ASKED, calls: CALLING, thoughts: THINKING })) {
      const said = answer(asked);
      const stream = pieces(said).join('');

      it(`is told in the same words however it is cut (${what})`, () => {
        expectEverySplitTellsTheSame(stream, translation);
        expectEverySplitTellsTheSame(stream.replaceAll('\n', '\r\n'), translation);
      });

      it(`says what the whole answer says (${what})`, () => {
        const { id, choices, usage } = whole(said) as unknown as {
          readonly id: string;
          readonly choices: readonly { readonly message: Message & Json; readonly finish_reason: string }[];
          readonly usage: unknown;
        };
        const chunks = chunksOf(translation(), stream) as readonly Chunk[];
        const { role: _role, refusal: _refusal, ...message } = choices[0]?.message as unknown as Message & { role: string; refusal: null };
        expect(collected(chunks)).to.deep.equal({ message, finish: choices[0]?.finish_reason, usage });
        expect(new Set(chunks.map((chunk) => chunk.id))).to.deep.equal(new Set([id]));
      });
    }

    it('is garbled where it is no JSON, or never comes to an end', () => {
      expect(translation().push(Buffer.from(name === 'cohere' ? 'data: {"a"\n\n' : '{"a"\n'))).to.equal(GARBLED);
      const endless = translation();
      let told: unknown;
      for (let piece = 0; piece < 20 && told !== GARBLED; piece++) told = endless.push(Buffer.alloc(100_000, 0x61));
      expect(told).to.equal(GARBLED);
    });
  });
