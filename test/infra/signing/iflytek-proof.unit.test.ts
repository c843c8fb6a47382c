import { expect } from 'chai';
import { iflytekProof } from '../../../infra/signing/iflytek-proof.ts';

describe('a proof for iFlytek', () => {
  // The example of iFlytek's own description.
  const request = { origin: 'https://spark-api.xf-yun.com', path: '/v1.1/chat', body: Buffer.from('{"header":{"uid":"u"},"payload":{}}') };
  const [secret, key] = ['MjlmNzkzNmZkMDQ2OTc0ZDdmNGE2ZTZi', 'addd2272b6d8b7c8abdd79531420ca3b'];
  const clock = { now: () => Date.parse('Fri, 05 May 2023 10:43:39 GMT') };

  it('is signed as iFlytek describes it, and names the app', () => {
    const proof = iflytekProof(request, `12345|${secret}|${key}`, clock);
    const query = new URLSearchParams(proof?.query);
    expect([query.get('date'), query.get('host')]).to.deep.equal(['Fri, 05 May 2023 10:43:39 GMT', 'spark-api.xf-yun.com']);
    expect(Buffer.from(query.get('authorization') ?? '', 'base64').toString('utf8')).to.equal(
      `api_key="${key}", algorithm="hmac-sha256", headers="host date request-line", signature="z5gHdu3pxVV4ADMyk467wOWDQ9q6BQzR3nfMTjc/DaQ="`,
    );
    expect(JSON.parse(proof?.body.toString('utf8') ?? '')).to.deep.equal({ header: { app_id: '12345', uid: 'u' }, payload: {} });
  });

  it('is not made of what is no such key', () => {
    for (const credential of ['sk-1', '|', 'a|b', 'a||c', 'a|b|c|d']) expect(iflytekProof(request, credential, clock)).to.equal(null);
  });
});
