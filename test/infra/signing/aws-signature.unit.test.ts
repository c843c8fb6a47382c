import { expect } from 'chai';
import { awsSignature, regionOf } from '../../../infra/signing/aws-signature.ts';

const clock = { now: () => Date.parse('2026-01-02T03:04:05.678Z') };
const request = {
  origin: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
  path: '/model/amazon.nova-pro-v1%3A0/converse',
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: Buffer.from('{}'),
  trusted: false,
} as const;

// Whether a signature holds is checked by the mock of Bedrock, which makes it anew from AWS's description.
describe('a signature of AWS’s', () => {
  it('says the key, the day and the region, and never the secret', async () => {
    const headers = await awsSignature(request, 'AKID:secret-of-mine', clock);
    expect(headers?.['x-amz-date']).to.equal('20260102T030405Z');
    expect(headers?.['authorization']).to.match(/^AWS4-HMAC-SHA256 Credential=AKID\/20260102\/eu-west-1\/bedrock\/aws4_request, /);
    expect(headers).not.to.have.property('x-amz-security-token');
    expect(JSON.stringify(headers)).not.to.include('secret-of-mine');
  });

  it('has the token of a session signed, too', async () => {
    const headers = await awsSignature(request, 'AKID:secret:token==', clock);
    expect(headers?.['x-amz-security-token']).to.equal('token==');
    expect(headers?.['authorization']).to.include('SignedHeaders=host;x-amz-date;x-amz-security-token, ');
  });

  it('depends on everything that is sent', async () => {
    const signed = await Promise.all(
      [
        request,
        { ...request, body: Buffer.from('{ }') },
        { ...request, path: '/model/x/converse' },
        { ...request, origin: 'https://other.example' },
      ].map((each) => awsSignature(each, 'AKID:secret', clock)),
    );
    expect(new Set(signed.map((headers) => headers?.['authorization'])).size).to.equal(4);
  });

  it('is not made of what is no key', async () => {
    for (const credential of ['', 'AKID', ':secret', 'AKID:', 'a:b:c:d'])
      expect(await awsSignature(request, credential, clock)).to.equal(null);
  });

  it('finds the region in the name of the host', () => {
    expect(regionOf('https://bedrock-runtime.us-gov-west-1.amazonaws.com')).to.equal('us-gov-west-1');
    expect(regionOf('https://bedrock-runtime-fips.us-east-2.amazonaws.com')).to.equal('us-east-2');
    expect(regionOf('https://bedrock.example.com')).to.equal(null);
  });
});
