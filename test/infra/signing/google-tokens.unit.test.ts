import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { importSPKI, jwtVerify } from 'jose';
import { GoogleTokens, type PostForm } from '../../../infra/signing/google-tokens.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const ACCOUNT = JSON.stringify({
  type: 'service_account',
  client_email: 'relay@project.iam.gserviceaccount.com',
  private_key: privateKey,
  private_key_id: 'kid-1',
  // Whatever a key says, tokens are got from Google alone.
  token_uri: 'https://evil.example/token',
});

describe('tokens of Google’s', () => {
  let now = Date.parse('2026-01-02T03:04:05Z');
  const clock = { now: () => now };
  const posting = (answers: readonly { readonly status: number; readonly text: string }[]) => {
    const posted: { url: string; form: string }[] = [];
    const post: PostForm = (url, form) => {
      posted.push({ url, form });
      const answer = answers[posted.length - 1];
      return answer === undefined ? Promise.reject(new Error('nobody is there')) : Promise.resolve(answer);
    };
    return { posted, tokens: new GoogleTokens(post, clock) };
  };
  const granted = (token: string): { status: number; text: string } => ({
    status: 200,
    text: JSON.stringify({ access_token: token, expires_in: 3_599, token_type: 'Bearer' }),
  });

  it('are asked for with an assertion that the key has signed', async () => {
    const { posted, tokens } = posting([granted('t1')]);
    expect(await tokens.of(ACCOUNT)).to.include({ token: 't1' });
    expect(posted[0]?.url).to.equal('https://oauth2.googleapis.com/token');
    const form = new URLSearchParams(posted[0]?.form);
    expect(form.get('grant_type')).to.equal('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', await importSPKI(publicKey, 'RS256'), {
      currentDate: new Date(now),
    });
    expect(protectedHeader).to.deep.equal({ alg: 'RS256', typ: 'JWT', kid: 'kid-1' });
    expect(payload).to.deep.equal({
      iss: 'relay@project.iam.gserviceaccount.com',
      aud: 'https://oauth2.googleapis.com/token',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      iat: now / 1_000,
      exp: now / 1_000 + 3_600,
    });
  });

  it('are asked for once, however many want one, and again shortly before they end', async () => {
    const { posted, tokens } = posting([granted('t1'), granted('t2')]);
    const got = await Promise.all([tokens.of(ACCOUNT), tokens.of(ACCOUNT), tokens.of(ACCOUNT)]);
    expect(got.map((token) => 'token' in token && token.token)).to.deep.equal(['t1', 't1', 't1']);
    now += 3_599_000 - 120_001;
    expect(await tokens.of(ACCOUNT)).to.include({ token: 't1' });
    expect(posted).to.have.length(1);
    now += 2;
    expect(await tokens.of(ACCOUNT)).to.include({ token: 't2' });
    expect(posted).to.have.length(2);
  });

  it('are refused for keys that are none, without a question', async () => {
    const { posted, tokens } = posting([]);
    for (const credential of ['', 'AIza', '{}', JSON.stringify({ client_email: 'a', private_key: 'b' })])
      expect(await tokens.of(credential)).to.include({ fault: 'refused' });
    expect(posted).to.deep.equal([]);
  });

  it('are refused where Google says so, and not to be had where it says nothing; both are asked for anew', async () => {
    const { posted, tokens } = posting([
      { status: 400, text: '{"error":"invalid_grant"}' },
      { status: 503, text: 'later' },
      { status: 200, text: '{"token":1}' },
    ]);
    expect(await tokens.of(ACCOUNT)).to.include({ fault: 'refused' });
    expect(await tokens.of(ACCOUNT)).to.include({ fault: 'unavailable' });
    expect(await tokens.of(ACCOUNT)).to.include({ fault: 'unavailable' });
    expect(await tokens.of(ACCOUNT)).to.deep.equal({ fault: 'unavailable', message: 'nobody is there' });
    expect(posted).to.have.length(4);
  });
});
