import { expect } from 'chai';
import { dialectOf } from '../../../gateways/relay/address-dialect.ts';

describe('in whose form an address is answered', () => {
  const named = (path: string, headers: Readonly<Record<string, string>> = {}): string => dialectOf({ path, headers }).name;

  it('is that of whose address it is', () => {
    expect(named('/v1/chat/completions')).to.equal('openai');
    expect(named('/v1/messages')).to.equal('anthropic');
    expect(named('/v1/messages/batches/msgbatch_1')).to.equal('anthropic');
    expect(named('/v1beta/models/m:generateContent')).to.equal('gemini');
    const forms = [
      '/v1/x',
      '/v1beta/x',
      '/v2/rerank',
      '/ollama/api/chat',
      '/bedrock/model/m/converse',
      '/mistral/v1/fim',
      '/kling/v1',
      '/suno/x',
      '/mj/x',
    ];
    expect(new Set(forms.map((path) => dialectOf({ path, headers: {} }))).size, 'each has its own').to.equal(forms.length);
    expect(dialectOf({ path: '/fast/mj/submit/imagine', headers: {} })).to.equal(dialectOf({ path: '/mj/submit/imagine', headers: {} }));
  });

  it('is Anthropic’s at an address that others have too, for clients that send its header', () => {
    const header = { 'anthropic-version': '2023-06-01' };
    expect(named('/v1/models', header)).to.equal('anthropic');
    expect(named('/v1beta/models', header), 'but not at one that is another’s alone').to.equal('gemini');
  });
});
