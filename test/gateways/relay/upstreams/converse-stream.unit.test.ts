import { expect } from 'chai';
import { ConverseChunks } from '../../../../domain/dialects/converse/completion-chunks.ts';
import { converseCompletion } from '../../../../domain/dialects/converse/said.ts';
import { textOf } from '../../../../domain/dialects/loose-json.ts';
import { bytesOf } from '../../../../gateways/relay/hub-events.ts';
import { FrameTranslation } from '../../../../gateways/relay/upstreams/frame-translation.ts';
import { GARBLED } from '../../../../gateways/relay/upstreams/translated-answer.ts';
import { converseAnswer, converseFrames, eventFrame, frame } from '../../../support/fake-upstream/bedrock-mock.ts';

const asked = (text: string, more: object = {}): Readonly<Record<string, unknown>> => ({
  messages: [{ role: 'user', content: [{ text }] }],
  ...more,
});

const translation = (): FrameTranslation => {
  const chunks = new ConverseChunks('chatcmpl-1', 1, 'm');
  return new FrameTranslation(
    {
      push: ({ headers, payload }) => chunks.push(headers.get(':event-type') ?? '', JSON.parse(payload.toString('utf8'))),
      end: () => [],
    },
    100_000,
  );
};

const told = (frames: readonly Buffer[]): string => {
  const translating = translation();
  const pieces = frames.map((each) => translating.push(each));
  return [...pieces, translating.end()].map((piece) => (piece === GARBLED ? GARBLED : String(bytesOf(piece)))).join('');
};

interface Said {
  readonly choices: readonly { readonly delta: Readonly<Record<string, unknown>>; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

const chunksOf = (text: string): readonly Said[] =>
  text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Said);

describe('a stream of Converse’s as one of OpenAI’s', () => {
  for (const [what, answer] of Object.entries({
    text: converseAnswer(asked('Hello.')),
    thoughts: converseAnswer(asked('Think.')),
    calls: converseAnswer(asked('Hello.', { toolConfig: {} })),
  }))
    it(`says what the whole answer says (${what})`, () => {
      const frames = converseFrames(answer);
      const text = told(frames);
      expect(told([Buffer.concat(frames)])).to.equal(text);
      const chunks = chunksOf(text);
      const whole = converseCompletion(answer, 'chatcmpl-1', 1, 'm') as unknown as {
        readonly choices: readonly { readonly message: Readonly<Record<string, unknown>>; readonly finish_reason: string }[];
        readonly usage: unknown;
      };
      const message = whole.choices[0]?.message ?? {};
      const joined = (name: string): string => chunks.flatMap(({ choices }) => choices.map(({ delta }) => textOf(delta[name]))).join('');
      expect(joined('content')).to.equal(message['content'] ?? '');
      expect(joined('reasoning_content')).to.equal(message['reasoning_content'] ?? '');
      expect(chunks.flatMap(({ choices }) => choices[0]?.delta['reasoning_details'] ?? [])).to.deep.equal(
        message['reasoning_details'] ?? [],
      );
      const pieces = chunks.flatMap(
        ({ choices }) => (choices[0]?.delta['tool_calls'] ?? []) as { index: number; id?: string; function: { arguments: string } }[],
      );
      const calls = (message['tool_calls'] ?? []) as { id: string; function: { arguments: string } }[];
      expect(
        calls.map((_call, index) =>
          pieces
            .filter((piece) => piece.index === index)
            .map((piece) => piece.function.arguments)
            .join(''),
        ),
      ).to.deep.equal(calls.map((call) => call.function.arguments));
      expect(pieces.flatMap(({ id }) => id ?? [])).to.deep.equal(calls.map(({ id }) => id));
      expect(chunks.flatMap(({ choices }) => choices.flatMap((choice) => choice.finish_reason ?? []))).to.deep.equal([
        whole.choices[0]?.finish_reason,
      ]);
      expect(chunks.at(-1)?.usage).to.deep.equal(whole.usage);
      expect(text.endsWith('data: [DONE]\n\n')).to.equal(true);
    });

  it('gives a call without arguments an empty object, and passes over what it does not know', () => {
    const text = told([
      eventFrame('messageStart', { role: 'assistant' }),
      eventFrame('somethingNew', { a: 1 }),
      eventFrame('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 't', name: 'look' } } }),
      eventFrame('contentBlockStop', { contentBlockIndex: 0 }),
      eventFrame('messageStop', { stopReason: 'tool_use' }),
    ]);
    const given = chunksOf(text).flatMap(({ choices }) => (choices[0]?.delta['tool_calls'] ?? []) as { function: { arguments: string } }[]);
    expect(given.map((call) => call.function.arguments).join('')).to.equal('{}');
    expect(text).not.to.include('[DONE]');
  });

  it('is garbled where its frames are', () => {
    const bytes = frame({ ':event-type': 'a' }, {});
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    expect(translation().push(bytes)).to.equal(GARBLED);
  });
});
