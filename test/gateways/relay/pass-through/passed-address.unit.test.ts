import { expect } from 'chai';
import { behindVersion, passedAddress, upstreamPath } from '../../../../gateways/relay/pass-through/passed-address.ts';
import { namedModel } from '../../../../gateways/relay/pass-through/passed-price.ts';
import { forwardedHeaders } from '../../../../gateways/relay/pass-through/passed-headers.ts';
import { providerOf } from '../../../../domain/providers/providers.ts';
import type { Provider } from '../../../../domain/providers/provider.ts';

describe('the address of what is passed on', () => {
  for (const rest of [
    '..',
    'v1/../admin',
    'v1/%2e%2e/admin',
    'v1/%2E%2e%2fadmin',
    'v1/%252e%252e/admin',
    'v1/%25252e%25252e/admin',
    'v1/..;x=1/admin',
    'v1/./models',
    '/evil.example/v1',
    'v1//models',
    'v1/..%5cadmin',
    'v1\\..\\admin',
    'v1/a%00b',
    'v1/a%0d%0ab',
    'v1/%zz',
    '',
    'v1/models/',
    'v1/a%23b',
  ])
    it(`is not ${JSON.stringify(rest)}`, () => {
      expect(passedAddress(`/providers/openai/${rest}`)).to.have.property('refused');
    });

  it('keeps what means nothing else than it says, as it was sent', () => {
    expect(passedAddress('/providers/openai/v1/models/a%2Fb:c?x=1&y')).to.deep.include({ rest: 'v1/models/a%2Fb:c', query: '?x=1&y' });
    expect(passedAddress('/providers/openai/@evil.example/x')).to.deep.include({ rest: '@evil.example/x' });
  });

  it('loses credentials in its query, however their names are written', () => {
    expect(passedAddress('/providers/gemini/v1beta/models?key=a&%6Bey=b&KEY=c&alt=sse&api_key=d&access_token=e')).to.deep.include({
      query: '?alt=sse',
    });
  });

  it('is of no provider that there is not, and of none within the process', () => {
    expect(passedAddress('/providers/nobody/v1')).to.have.property('refused', 'not_found');
    expect(passedAddress('/providers/sandbox/v1/models')).to.have.property('refused', 'not_found');
  });

  it('stays under what stands before the version of the base URL', () => {
    const origin = 'https://a.example';
    expect(upstreamPath({ origin, path: '/openai/v1' }, 'v1beta/x', '?a')).to.equal('/openai/v1beta/x?a');
    expect(upstreamPath({ origin, path: '/v1' }, 'v1/models', '')).to.equal('/v1/models');
    expect(upstreamPath({ origin, path: '' }, 'chat/completions', '')).to.equal('/chat/completions');
    expect(upstreamPath({ origin, path: '/tenants/a' }, 'models', '')).to.equal('/tenants/a/models');
    expect([behindVersion('v1beta/models/x'), behindVersion('chat/completions')]).to.deep.equal(['models/x', 'chat/completions']);
  });
});

describe('the model that a passed request names', () => {
  it('is in its address, where it can be cut out again', () => {
    for (const [rest, name] of [
      ['v1beta/models/gemini-x:generateContent', 'gemini-x'],
      ['v1beta/models/a%2Fb:embedContent', 'a/b'],
      ['model/anthropic.claude%3A0/converse', 'anthropic.claude:0'],
      ['openai/deployments/models/chat/completions', 'models'],
    ] as const) {
      const named = namedModel(rest, null);
      if (named === null || 'refused' in named || named.inAddress === null) throw new Error(rest);
      expect(named.name).to.equal(name);
      expect(decodeURIComponent(rest.slice(...named.inAddress)), rest).to.equal(name);
    }
  });

  it('is one model only', () => {
    const json = { value: { model: 'b' }, modelSpan: null };
    expect(namedModel('v1beta/models/a:predict', json)).to.have.property('refused', 'invalid_request');
    expect(namedModel('v1beta/models/b:predict', { ...json, value: { model: 'models/b' } })).to.have.property('name', 'b');
    expect(namedModel('v1/things', { ...json, value: { model: 3 } })).to.equal(null);
  });
});

describe('the headers of what is passed on', () => {
  it('hold nothing of the caller’s key, its connection and its network', () => {
    const openai = providerOf('openai') as Provider;
    expect(
      forwardedHeaders(
        {
          authorization: 'Bearer k',
          'x-api-key': 'k1',
          cookie: 'a',
          host: 'us',
          connection: 'keep-alive, x-mine',
          'x-mine': '1',
          'x-forwarded-for': '10.0.0.1',
          'x-strange': 'token k1',
          'openai-organization': 'org',
          'x-amz-security-token': 't',
          'openai-beta': 'assistants=v2',
          'content-type': 'application/json',
        },
        openai,
        'k1',
      ),
    ).to.deep.equal({ 'openai-beta': 'assistants=v2', 'content-type': 'application/json' });
  });
});
