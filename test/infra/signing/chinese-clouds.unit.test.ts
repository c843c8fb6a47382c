import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { BaiduTokens } from '../../../infra/signing/baidu-tokens.ts';
import { tencentSignature } from '../../../infra/signing/tencent-signature.ts';
import { zhipuToken } from '../../../infra/signing/zhipu-token.ts';

describe('a signature of Tencent Cloud’s', () => {
  // The example of Tencent's own description of version 3.
  const request = {
    origin: 'https://cvm.tencentcloudapi.com',
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-tc-action': 'DescribeInstances' },
    body: Buffer.from('{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'),
  } as const;
  const stars = '*'.repeat(32);
  const clock = { now: () => 1_551_113_065_000 };
  const expected = {
    authorization: `TC3-HMAC-SHA256 Credential=AKID${stars}/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host;x-tc-action, Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f`,
    'x-tc-timestamp': '1551113065',
  };

  it('is the one that Tencent publishes', () => {
    expect(tencentSignature(request, `AKID${stars}|${stars}`, clock)).to.deep.equal(expected);
  });

  it('takes no notice of the number of an account', () => {
    expect(tencentSignature(request, `1250000000|AKID${stars}|${stars}`, clock)).to.deep.equal(expected);
  });

  it('is not made of what is no pair of keys', () => {
    for (const credential of ['sk-1', '|', 'a|', 'a|b|c|d']) expect(tencentSignature(request, credential, clock)).to.equal(null);
  });
});

describe('a token of Zhipu’s', () => {
  const clock = { now: () => 1_700_000_000_123 };

  it('says whose it is and until when, in milliseconds, and is signed', async () => {
    const token = (await zhipuToken('id-1.secret-1', clock)) ?? '';
    const [head = '', payload = '', signature] = token.split('.');
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    expect(read(head)).to.deep.equal({ alg: 'HS256', sign_type: 'SIGN' });
    expect(read(payload)).to.deep.equal({ api_key: 'id-1', timestamp: 1_700_000_000_123, exp: 1_700_000_180_123 });
    expect(signature).to.equal(createHmac('sha256', 'secret-1').update(`${head}.${payload}`).digest('base64url'));
  });

  it('is not made of what is no such key', async () => {
    for (const credential of ['sk-1', '.', 'a.', 'a.b.c']) expect(await zhipuToken(credential, clock)).to.equal(null);
  });
});

describe('tokens of Baidu’s', () => {
  const asked: string[] = [];
  let now = 0;
  const tokens = (text: string, status = 200): BaiduTokens =>
    new BaiduTokens(
      async (url, form) => {
        asked.push(`${url} ${form}`);
        return { status, text };
      },
      { now: () => now },
    );
  beforeEach(() => {
    asked.length = 0;
    now = 0;
  });

  it('are kept for a day at most', async () => {
    const kept = tokens('{"access_token":"t","expires_in":2592000}');
    const token = async (): Promise<unknown> => kept.of('https://aip.example', 'ak|sk');
    expect(await token()).to.include({ token: 't' });
    now = 24 * 3_600_000 - 1;
    await token();
    expect(asked).to.deep.equal(['https://aip.example/oauth/2.0/token grant_type=client_credentials&client_id=ak&client_secret=sk']);
    now++;
    await token();
    expect(asked).to.have.length(2);
  });

  it('are refused where the key is, and unavailable where nobody can say', async () => {
    expect(await tokens('{"error":"invalid_client"}', 401).of('https://a', 'ak|sk')).to.include({ fault: 'refused' });
    expect(await tokens('', 200).of('https://a', 'no pair')).to.include({ fault: 'refused' });
    expect(await tokens('<html>', 502).of('https://a', 'ak|sk')).to.include({ fault: 'unavailable' });
  });
});
