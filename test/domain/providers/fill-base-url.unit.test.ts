import { expect } from 'chai';
import fc from 'fast-check';
import { fillBaseUrl } from '../../../domain/providers/fill-base-url.ts';
import { providerOf, PROVIDERS } from '../../../domain/providers/providers.ts';
import type { Provider } from '../../../domain/providers/provider.ts';
import { upstreamOrigin } from '../../../domain/channel/upstream-origin.ts';
import { check } from '../../ledger/seed.ts';

const row = (id: string): Provider => providerOf(id) ?? expect.fail(`no provider ${id}`);
const refusedParam = (id: string, given: Readonly<Record<string, string>>): string | undefined => {
  const filled = fillBaseUrl(row(id), given);
  return typeof filled === 'string' ? expect.fail(`filled: ${filled}`) : filled.param;
};

describe('the base URL of a provider', () => {
  it('is as its row says where nothing is to be filled in', () => {
    expect(fillBaseUrl(row('groq'), {})).to.equal('https://api.groq.com/openai/v1');
  });

  it('takes what its customer knows', () => {
    expect(fillBaseUrl(row('cloudflare-ai-gateway'), { account: '0a1b', gateway: 'my.gate' })).to.equal(
      'https://gateway.ai.cloudflare.com/v1/0a1b/my.gate/compat',
    );
    expect(fillBaseUrl(row('snowflake-cortex'), { account: 'xy12345.eu-west-1' })).to.equal(
      'https://xy12345.eu-west-1.snowflakecomputing.com/api/v2/cortex/v1',
    );
  });

  it('wants every blank, no other, and an address where there is none', () => {
    expect(refusedParam('cloudflare-ai-gateway', { account: 'a' })).to.equal('blanks.gateway');
    expect(refusedParam('groq', { region: 'eu' })).to.equal('blanks');
    expect(refusedParam('openai-compatible', {})).to.equal('settings.baseUrl');
  });

  for (const evil of [
    '',
    '.',
    '..',
    'a/b',
    'evil.example/',
    'evil.example#',
    'a?b',
    'a@b',
    'a:1',
    'a\\b',
    '{gateway}',
    '$&',
    'a b',
    'ä',
    '%2e',
    '\n',
  ]) {
    it(`takes no ${JSON.stringify(evil)}`, () => {
      expect(refusedParam('cloudflare-workers-ai', { account: evil })).to.equal('blanks.account');
      expect(refusedParam('snowflake-cortex', { account: evil })).to.equal('blanks.account');
    });
  }

  it('goes to nobody else’s host and to no other place there, whatever is filled in', () => {
    const blanked = PROVIDERS.filter(({ blanks }) => blanks !== undefined);
    check(
      fc.property(
        fc.constantFrom(...blanked),
        fc.array(fc.oneof(fc.string(), fc.domain(), fc.webSegment()), { minLength: 2, maxLength: 2 }),
        (provider, values) => {
          const given = Object.fromEntries((provider.blanks ?? []).map(({ name }, index) => [name, values[index] ?? '']));
          const filled = fillBaseUrl(provider, given);
          if (typeof filled !== 'string') return;
          const url = new URL(filled);
          expect(upstreamOrigin(filled)).to.equal(url.origin);
          const [before = '', after = ''] = (provider.baseUrl ?? '').split(/\{.*\}/);
          expect(filled.startsWith(before) && filled.endsWith(after), filled).to.equal(true);
          const host = (provider.baseUrl ?? '').split('/')[2] ?? '';
          expect(url.host.endsWith(host.slice(host.lastIndexOf('}') + 1).toLowerCase()), filled).to.equal(true);
          expect(filled.split('/').length).to.equal((provider.baseUrl ?? '').split('/').length);
          expect(url.pathname.replace(/\/$/, '')).to.equal(
            filled
              .split('/')
              .slice(3)
              .map((segment) => `/${segment}`)
              .join(''),
          );
        },
      ),
    );
  });
});

describe('the table of providers', () => {
  for (const { id, baseUrl, blanks = [] } of PROVIDERS)
    it(`has a row for ${id} that can be called`, () => {
      expect(id).to.match(/^[a-z0-9][a-z0-9-]{0,63}$/);
      if (baseUrl === null) return;
      expect([...new Set([...baseUrl.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))]).to.deep.equal(blanks.map(({ name }) => name));
      expect(upstreamOrigin(baseUrl.replaceAll(/\{\w+\}/g, 'x'))).to.match(/^https:|^http:\/\/(localhost|127\.0\.0\.1):/);
    });
});
