import { expect } from 'chai';
import { promptOfContents, promptOfMessages } from '../../../domain/tokens/native-text.ts';

describe('what of a prompt in its client’s own format is counted', () => {
  it('of Anthropic’s: texts, calls, results and tools, and not the thoughts of earlier turns', () => {
    const { texts, tokens } = promptOfMessages(
      {
        system: [{ type: 'text', text: 'be brief' }],
        messages: [
          { role: 'user', content: 'look' },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 's' },
              { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'found' }] },
              { type: 'document', title: 'T', source: { type: 'text', data: 'words' } },
              { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
            ],
          },
        ],
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
        tool_choice: { type: 'any' },
      },
      'claude-sonnet-4-5',
    );
    expect(texts).to.deep.equal([
      'be brief',
      'user',
      'look',
      'assistant',
      'f',
      '{"a":1}',
      'user',
      'found',
      'T',
      'words',
      '[{"type":"web_search_20250305","name":"web_search"}]',
    ]);
    expect(tokens).to.equal(3 + 3 * 3 + 3 + 1_369 + 9 + 313);
  });

  it('of Gemini’s: texts, calls, results and media by their types', () => {
    const { texts, tokens } = promptOfContents(
      {
        systemInstruction: { parts: [{ text: 'be brief' }] },
        contents: [
          { role: 'user', parts: [{ text: 'look' }, { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }] },
          { role: 'model', parts: [{ text: 'hm', thought: true }, { functionCall: { name: 'f', args: { a: 1 } } }] },
          {
            role: 'user',
            parts: [
              { functionResponse: { name: 'f', response: { ok: true } } },
              { fileData: { fileUri: 'https://x', mimeType: 'image/png' } },
            ],
          },
        ],
      },
      'gemini-3-pro',
    );
    expect(texts).to.deep.equal(['be brief', 'user', 'look', 'model', 'f', '{"a":1}', 'user', 'f', '{"ok":true}']);
    expect(tokens).to.equal(3 + 3 * 3 + 8_192 + 3 + 1_120);
  });
});
