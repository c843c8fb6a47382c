import { expect } from 'chai';
import { wholeOfChunks } from '../../../../domain/dialects/chat/whole-of-chunks.ts';
import { CompletionChunks } from '../../../../domain/dialects/gemini/completion-chunks.ts';
import { EventTranslation } from '../../../../gateways/relay/upstreams/event-translation.ts';
import { geminiEvents, geminiResponse } from '../../../support/fake-upstream/gemini-mock.ts';
import { chunksOf, expectEverySplitTellsTheSame } from './every-split.ts';

const translation = (): EventTranslation => new EventTranslation(new CompletionChunks('gemini-3-flash', 1), 1024 * 1024);

const ASKED = {
  contents: [{ role: 'user', parts: [{ text: 'Grüße ☀' }] }],
  generationConfig: { thinkingConfig: { includeThoughts: true } },
};
const RESPONSES = {
  text: geminiResponse(ASKED),
  calls: geminiResponse({ ...ASKED, tools: [{ functionDeclarations: [{ name: 'look' }] }] }),
};

const whole = (chunks: readonly unknown[]): unknown => wholeOfChunks(chunks.map((chunk) => ({ chunk: chunk as Record<string, unknown> })));

describe('a stream of Gemini’s as one of OpenAI’s', () => {
  for (const [what, response] of Object.entries(RESPONSES)) {
    it(`is told in the same words however it is cut (${what})`, () => {
      expectEverySplitTellsTheSame(geminiEvents(response).join(''), translation);
    });

    it(`says what the whole response says (${what})`, () => {
      const streamed = chunksOf(translation(), geminiEvents(response).join(''));
      const teller = new CompletionChunks('gemini-3-flash', 1);
      const told = wholeOfChunks([...teller.push(response), ...teller.end()]);
      expect(whole(streamed)).to.deep.equal(told);
      expect(told).to.have.nested.property('choices[0].finish_reason', what === 'calls' ? 'tool_calls' : 'stop');
    });
  }

  const say = (...responses: readonly object[]): readonly unknown[] =>
    chunksOf(translation(), responses.map((response) => `data: ${JSON.stringify(response)}\n\n`).join(''));
  const candidate = (parts: readonly object[], more: object = {}): object => ({ content: { role: 'model', parts }, ...more });

  it('counts calls through all of a stream, and gives each an id', () => {
    const call = { functionCall: { name: 'look', args: {} } };
    const told = say(
      { candidates: [candidate([call])], responseId: 'r' },
      { candidates: [candidate([call])] },
      { candidates: [candidate([{ text: '' }], { finishReason: 'STOP' })], usageMetadata: { promptTokenCount: 3 } },
    );
    const calls = (whole(told) as { choices: { message: { tool_calls: { id: string }[] }; finish_reason: string }[] }).choices[0];
    expect(calls?.finish_reason).to.equal('tool_calls');
    expect(new Set(calls?.message.tool_calls.map(({ id }) => id)).size).to.equal(2);
  });

  it('adds up usage by class, and takes the last that is told', () => {
    const told = say(
      { candidates: [candidate([{ text: 'a' }])], usageMetadata: { promptTokenCount: 100 } },
      {
        candidates: [
          candidate([], {
            finishReason: 'MAX_TOKENS',
            groundingMetadata: { webSearchQueries: ['x', 'y'], groundingChunks: [{ web: { uri: 'https://e.com', title: 'E' } }] },
          }),
        ],
      },
      {
        usageMetadata: {
          promptTokenCount: 100,
          cachedContentTokenCount: 30,
          toolUsePromptTokenCount: 7,
          candidatesTokenCount: 20,
          thoughtsTokenCount: 5,
          promptTokensDetails: [
            { modality: 'AUDIO', tokenCount: 40 },
            { modality: 'IMAGE', tokenCount: 10 },
          ],
          cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 15 }],
          candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 8 }],
        },
      },
    );
    expect(told.at(-1))
      .to.have.property('usage')
      .that.deep.equals({
        prompt_tokens: 107,
        completion_tokens: 25,
        total_tokens: 132,
        prompt_tokens_details: { cached_tokens: 30, audio_tokens: 25, image_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 0, image_tokens: 8 },
        server_tool_use: { web_search_requests: 2 },
      });
    expect(whole(told)).to.have.nested.property('choices[0].finish_reason', 'length');
    expect(whole(told)).to.have.nested.property('choices[0].message.annotations[0].url_citation.url', 'https://e.com');
  });

  it('tells of pictures, and of several answers', () => {
    const told = say({
      candidates: [
        candidate([{ inlineData: { mimeType: 'image/png', data: 'AA==' } }], { index: 0, finishReason: 'STOP' }),
        candidate([{ text: 'b' }], { index: 1, finishReason: 'SAFETY' }),
      ],
    });
    expect(whole(told)).to.have.nested.property('choices[0].message.images[0].image_url.url', 'data:image/png;base64,AA==');
    expect(whole(told)).to.deep.nested.include({ 'choices[1].index': 1, 'choices[1].finish_reason': 'content_filter' });
  });
});
