import { expect } from 'chai';
import { matches, placeOfId } from '../../../ui/src/app/shell/commands.ts';
import { addExact } from '../../../ui/src/features/ledger/exact.ts';
import { accountParts, isExplained } from '../../../ui/src/features/ledger/entry-words.ts';
import { safeNext } from '../../../ui/src/features/session/safe-next.ts';
import { curlSample } from '../../../ui/src/parts/curl-sample.ts';

describe('the command palette', () => {
  it('opens the place of an id that is pasted', () => {
    expect(placeOfId(' req_01ABC ', false)).to.deep.equal({ name: 'requests', query: { peek: 'req_01ABC' } });
    expect(placeOfId('chn_1', true)).to.deep.equal({ name: 'channels', query: { peek: 'chn_1' } });
    expect(placeOfId('chn_1', false)).to.equal(null);
    expect(placeOfId('req_', true)).to.equal(null);
    expect(placeOfId('hello', true)).to.equal(null);
  });

  it('finds commands by the beginnings of words, in any order', () => {
    expect(matches({ label: 'Create API key' }, 'key cr')).to.equal(true);
    expect(matches({ label: 'Create API key' }, 'eate')).to.equal(false);
    expect(matches({ label: '创建 API 密钥' }, '密钥')).to.equal(true);
    expect(matches({ label: 'Language: English', also: 'en' }, '')).to.equal(true);
  });
});

describe('after signing in', () => {
  it('the console is never left', () => {
    expect(safeNext('/keys?status=all')).to.equal('/keys?status=all');
    for (const wrong of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/sign-in',
      undefined,
      ['/keys'],
    ])
      expect(safeNext(wrong), String(wrong)).to.equal('/');
  });
});

describe('the ledger in words', () => {
  it('splits account names and knows what can be explained', () => {
    expect(accountParts('revenue:gpt-4o:free')).to.deep.equal({ kind: 'revenue', owner: 'gpt-4o:free' });
    expect(accountParts('suspense')).to.deep.equal({ kind: 'suspense', owner: '' });
    expect(isExplained({ kind: 'charge', requestId: 'req_1' })).to.equal(true);
    expect(isExplained({ kind: 'hold', requestId: 'req_1' })).to.equal(false);
    expect(isExplained({ kind: 'charge', requestId: null })).to.equal(false);
  });

  it('adds exact amounts of any number of places', () => {
    expect(addExact(['1505000', '375000.25', '0.75'])).to.equal('1880001');
    expect(addExact(['0.1', '0.02'])).to.equal('0.12');
    expect(addExact([])).to.equal('0');
  });
});

describe('the first call', () => {
  it('works when it is pasted', () => {
    const sample = curlSample('http://127.0.0.1:3000/v1', 'sk-obl-1', 'sandbox-fast');
    expect(sample).to.include('curl http://127.0.0.1:3000/v1/chat/completions').and.to.include('Bearer sk-obl-1');
    const body = /-d '(.*)'$/.exec(sample)?.[1];
    expect(JSON.parse(body ?? '')).to.deep.equal({ model: 'sandbox-fast', messages: [{ role: 'user', content: 'Say hello.' }] });
    expect(curlSample('http://x/v1', null, null)).to.include('$OBLIVIOUS_API_KEY');
  });
});
