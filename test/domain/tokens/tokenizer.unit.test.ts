import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Tiktoken } from 'js-tiktoken/lite';
import ranks from 'js-tiktoken/ranks/o200k_base';
import { generousTokens } from '../../../domain/tokens/approximate.ts';
import { claudeGeneration } from '../../../domain/tokens/claude-generation.ts';
import { scaledTokens, tellingName, tokenizerOf } from '../../../domain/tokens/tokenizer.ts';

const shown = (model: string): string => {
  const { encoding, percent } = tokenizerOf(model);
  return `${encoding} ${percent}`;
};

describe('the tokeniser of a model', () => {
  it('is OpenAI’s own for its models, whatever stands around their names', () => {
    for (const model of [
      'gpt-4o',
      'gpt-4o-mini',
      'gpt-4.1',
      'gpt-4.5-preview',
      'gpt-5',
      'gpt-5.6-sol',
      'o1',
      'o3',
      'o4-mini',
      'chatgpt-4o-latest',
    ])
      expect(shown(model), model).to.equal('o200k_base 100');
    for (const model of ['openai/gpt-4o', 'ft:gpt-4o:me', 'gpt-oss-120b', 'openai/o3'])
      expect(shown(model), model).to.equal('o200k_base 100');
    for (const model of [
      'gpt-4',
      'gpt-4-turbo',
      'gpt-4-1106-preview',
      'gpt-3.5-turbo',
      'gpt-35-turbo',
      'text-embedding-3-small',
      'davinci-002',
    ])
      expect(shown(model), model).to.equal('cl100k_base 100');
  });

  it('is a share of one of those for families that publish none', () => {
    expect(shown('claude-3-5-sonnet-20241022')).to.equal('o200k_base 110');
    expect(shown('anthropic.claude-opus-4-20250514-v1:0')).to.equal('o200k_base 110');
    expect(shown('claude-haiku-4.5')).to.equal('o200k_base 110');
    expect(shown('claude-opus-4-7')).to.equal('o200k_base 135');
    expect(shown('claude-sonnet-5')).to.equal('o200k_base 135');
    expect(shown('gemini-3-pro')).to.equal('o200k_base 100');
    expect(shown('meta-llama/Llama-3.3-70B-Instruct')).to.equal('cl100k_base 100');
    expect(shown('llama-2-70b-chat')).to.equal('cl100k_base 118');
    expect(shown('mistral-large-latest')).to.equal('o200k_base 110');
    expect(shown('open-mixtral-8x7b')).to.equal('o200k_base 140');
    for (const model of ['qwen3-max', 'deepseek-chat', 'glm-4.6', 'kimi-k2', 'somebody-s-own'])
      expect(shown(model)).to.equal('o200k_base 100');
  });

  it('tells the generation of a Claude apart from a date', () => {
    const generations = [
      'claude-2.1',
      'claude-3-opus-20240229',
      'claude-3-7-sonnet@20250219',
      'claude-opus-4-1-20250805',
      'claude-opus-4-7',
    ];
    expect(generations.map(claudeGeneration)).to.deep.equal([2.1, 3, 3.7, 4.1, 4.7]);
    expect(claudeGeneration('claude-next')).to.equal(Infinity);
  });

  it('goes by the upstream’s name where that tells more than the relay’s', () => {
    expect(tellingName('gpt-4-turbo', 'fast')).to.equal('gpt-4-turbo');
    expect(tellingName('ep-20260101-abc', 'deepseek-chat')).to.equal('deepseek-chat');
  });

  it('never makes more tokens than there are bytes', () => {
    expect(scaledTokens(4, tokenizerOf('claude-opus-5'), 4)).to.equal(4);
    expect(scaledTokens(100, tokenizerOf('claude-opus-5'), 400)).to.equal(135);
  });
});

describe('tokens by length, from above', () => {
  it('are not fewer than the tokeniser’s on what people and programs write', () => {
    const encoder = new Tiktoken(ranks);
    const texts = {
      prose: readFileSync('docs/decisions/0007-spend-leases.md', 'utf8'),
      code: readFileSync('gateways/relay/attempt.ts', 'utf8'),
      json: readFileSync('package-lock.json', 'utf8').slice(0, 20_000),
      chinese: readFileSync('README.zh-CN.md', 'utf8').slice(0, 5_000),
      russian: 'Выписка составлена по счетам всех портов, и каждый корабль занесён в книгу. ',
      japanese: '港の帳簿には船と貨物と負債が記されている。',
      hindi: 'बंदरगाह की बही में जहाज, माल और ऋण दर्ज हैं',
    };
    for (const [name, text] of Object.entries(texts)) {
      const exact = encoder.encode(text, [], []).length;
      expect(generousTokens(text), name).to.be.within(exact, exact * 2.5);
      expect(generousTokens(text), name).to.be.at.most(Buffer.byteLength(text));
    }
    const random =
      readFileSync('package-lock.json', 'utf8')
        .match(/sha512-[^"]+/g)
        ?.slice(0, 40)
        .join(' ') ?? '';
    expect(generousTokens(random)).to.be.at.least(encoder.encode(random, [], []).length * 0.7);
  });
});
