import { Readable } from 'node:stream';
import type { Clock } from '../../commands/ports/clock.ts';
import type { Signing, Upstream, UpstreamExchange, UpstreamListener, UpstreamRequest } from '../../gateways/ports/upstream.ts';
import { awsSignature } from './aws-signature.ts';
import { pairToken } from './pair-token.ts';
import { BaiduTokens } from './baidu-tokens.ts';
import { iflytekProof } from './iflytek-proof.ts';
import { GoogleTokens, type PostForm } from './google-tokens.ts';
import { tencentSignature } from './tencent-signature.ts';
import { zhipuToken } from './zhipu-token.ts';

const bytesOf = async (body: Readable): Promise<Buffer> => Buffer.concat((await body.toArray()) as Buffer[]);

type Proof =
  /** `query`: behind the path. `body`: in the place of the one that was given. */
  | { readonly headers: Readonly<Record<string, string>>; readonly query?: string; readonly body?: Buffer }
  | { readonly fault: 'refused' | 'unavailable'; readonly message: string };

/** Nothing longer is a token. */
const MOST_BYTES = 64 * 1_024;
const POST_MS = 10_000;

/** Posts a form by the same way as everything else, under the same rules of egress. */
const postBy =
  (upstream: Upstream): PostForm =>
  (url, form) =>
    new Promise((resolve, reject) => {
      const { origin, pathname } = new URL(url);
      const chunks: Buffer[] = [];
      let bytes = 0;
      let status = 0;
      const giveUp = (message: string): void => {
        clearTimeout(timer);
        exchange.abort();
        reject(new Error(message));
      };
      const timer = setTimeout(() => giveUp('the token endpoint does not answer'), POST_MS);
      const exchange = upstream.send(
        {
          origin,
          path: pathname,
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
          body: Buffer.from(form),
          trusted: false,
        },
        {
          headers: (answered) => {
            status = answered;
          },
          data: (chunk) => {
            chunks.push(chunk);
            bytes += chunk.length;
            if (bytes > MOST_BYTES) giveUp('the token endpoint does not come to an end');
            return true;
          },
          end: () => {
            clearTimeout(timer);
            resolve({ status, text: Buffer.concat(chunks).toString('utf8') });
          },
          failed: ({ message }) => giveUp(message),
        },
      );
    });

/** An exchange that begins once its request is signed. */
class SignedExchange implements UpstreamExchange {
  #exchange: UpstreamExchange | null = null;
  #isAborted = false;

  get isAborted(): boolean {
    return this.#isAborted;
  }

  begin(exchange: UpstreamExchange): void {
    this.#exchange = exchange;
  }

  resume(): void {
    this.#exchange?.resume();
  }

  abort(): void {
    this.#isAborted = true;
    this.#exchange?.abort();
  }
}

/** Tells what an upstream would that was sent such a credential. */
const refuse = (listener: UpstreamListener, message: string): void => {
  listener.headers(401, { 'content-type': 'application/json' });
  listener.data(Buffer.from(JSON.stringify({ error: { message, type: 'authentication_error', param: null, code: 'invalid_api_key' } })));
  listener.end();
};

/** How Baidu says that a token is none any longer: with a status of success. */
const STALE = /"error_code":\s*11[01]\b/;

/** Tells `isStale` where an answer says that its request’s token was stale, and hands everything on. */
const watchingTokens = (listener: UpstreamListener, isStale: () => void): UpstreamListener => ({
  headers: (status, headers) => listener.headers(status, headers),
  data: (chunk) => {
    if (chunk.length < 1_024 && STALE.test(chunk.toString('utf8'))) isStale();
    return listener.data(chunk);
  },
  end: () => listener.end(),
  failed: (fault) => listener.failed(fault),
});

export interface SigningOptions {
  readonly clock: Clock;
  /** Google's own unless a test has another. */
  readonly googleTokenUrl?: string | undefined;
}

/** The same way to upstreams, by which requests have the proof that they need of who asks. Secrets go into a signature or to whom they are of, and nowhere else. */
export const withSigning = <Way extends Upstream>(upstream: Way, { clock, googleTokenUrl }: SigningOptions): Way => {
  const google = new GoogleTokens(postBy(upstream), clock, googleTokenUrl);
  const baidu = new BaiduTokens(postBy(upstream), clock);

  const prove = async (request: UpstreamRequest, { scheme, credential }: Signing): Promise<Proof> => {
    switch (scheme) {
      case 'aws': {
        const headers = await awsSignature(request, credential, clock);
        return headers === null ? { fault: 'refused', message: 'The credential is not of the form id:secret.' } : { headers };
      }
      case 'google': {
        const got = await google.of(credential);
        return 'fault' in got ? got : { headers: { authorization: `Bearer ${got.token}` } };
      }
      case 'pair':
        return { headers: { authorization: `Bearer ${await pairToken(credential, clock)}` } };
      case 'baidu': {
        const got = await baidu.of(request.origin, credential);
        return 'fault' in got ? got : { headers: {}, query: `access_token=${encodeURIComponent(got.token)}` };
      }
      case 'iflytek': {
        const proof = iflytekProof(request, credential, clock);
        return proof === null ? { fault: 'refused', message: 'The credential is not of the form app id|API secret|API key.' } : proof;
      }
      case 'tencent': {
        const headers = tencentSignature(request, credential, clock);
        return headers === null ? { fault: 'refused', message: 'The credential is not of the form secret id|secret key.' } : { headers };
      }
      case 'zhipu': {
        const token = await zhipuToken(credential, clock);
        return token === null
          ? { fault: 'refused', message: 'The credential is not of the form id.secret.' }
          : { headers: { authorization: `Bearer ${token}` } };
      }
    }
  };

  const sendSigned = async (
    request: UpstreamRequest,
    signing: Signing,
    listener: UpstreamListener,
    signed: SignedExchange,
  ): Promise<void> => {
    // These proofs are over the body or go into it, so it has to be known before it goes out.
    const isOfBody = signing.scheme === 'aws' || signing.scheme === 'tencent' || signing.scheme === 'iflytek';
    const whole = isOfBody && request.body instanceof Readable ? { ...request, body: await bytesOf(request.body) } : request;
    const proof = await prove(whole, signing);
    if (signed.isAborted) return;
    if ('headers' in proof) {
      const { query, body = whole.body } = proof;
      const path = query === undefined ? request.path : `${request.path}${request.path.includes('?') ? '&' : '?'}${query}`;
      const hearing =
        signing.scheme === 'baidu' ? watchingTokens(listener, () => baidu.forget(request.origin, signing.credential)) : listener;
      signed.begin(upstream.send({ ...whole, path, body, headers: { ...request.headers, ...proof.headers } }, hearing));
    } else if (proof.fault === 'refused') refuse(listener, proof.message);
    else listener.failed({ kind: 'unreachable', message: proof.message });
  };

  return {
    ...upstream,
    send: (request: UpstreamRequest, listener: UpstreamListener) => {
      const { signing } = request;
      if (signing === undefined) return upstream.send(request, listener);
      const signed = new SignedExchange();
      sendSigned(request, signing, listener, signed).catch((error: unknown) => {
        if (!signed.isAborted)
          listener.failed({ kind: 'broken', message: error instanceof Error ? error.message : 'it could not be signed' });
      });
      return signed;
    },
  };
};
