import { importPKCS8, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../commands/ports/clock.ts';

const ServiceAccount = z.object({ client_email: z.string().min(1), private_key: z.string().min(1), private_key_id: z.string().optional() });

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Longest that Google takes an assertion for. */
const ASSERTION_SECONDS = 3_600;

/** A token is renewed this long before it ends, so that none ends on the way. */
const EARLY_MS = 120_000;

/** More keys than this are not in use at once; old tokens are let go all together. */
const MOST_KEPT = 1_000;

/** How a token is asked for: a form, posted. Rejects where nobody answers. */
export type PostForm = (url: string, form: string) => Promise<{ readonly status: number; readonly text: string }>;

/** `refused`: the key is good for nothing. `unavailable`: nobody can say just now. */
export type Token = { readonly token: string } | { readonly fault: 'refused' | 'unavailable'; readonly message: string };

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
};

/** Tokens of Google's for keys of service accounts, each got once for as long as it holds, whoever asks for it meanwhile. */
export class GoogleTokens {
  readonly #post: PostForm;
  readonly #clock: Clock;
  readonly #tokenUrl: string;
  readonly #kept = new Map<string, { readonly token: string; readonly until: number }>();
  readonly #asked = new Map<string, Promise<Token>>();

  /** `tokenUrl` is Google's own, whatever a key says: an address in a credential is nobody's to choose. */
  constructor(post: PostForm, clock: Clock, tokenUrl = 'https://oauth2.googleapis.com/token') {
    this.#post = post;
    this.#clock = clock;
    this.#tokenUrl = tokenUrl;
  }

  of(credential: string): Promise<Token> {
    const kept = this.#kept.get(credential);
    if (kept !== undefined && kept.until > this.#clock.now()) return Promise.resolve(kept);
    const asked = this.#asked.get(credential);
    if (asked !== undefined) return asked;
    const asking = this.#ask(credential).finally(() => this.#asked.delete(credential));
    this.#asked.set(credential, asking);
    return asking;
  }

  async #ask(credential: string): Promise<Token> {
    const account = ServiceAccount.safeParse(parsed(credential));
    if (!account.success) return { fault: 'refused', message: 'The credential is not the JSON of a service account’s key.' };
    const now = Math.floor(this.#clock.now() / 1_000);
    let assertion: string;
    try {
      const { client_email: email, private_key: key, private_key_id: keyId } = account.data;
      assertion = await new SignJWT({ scope: SCOPE })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
        .setIssuer(email)
        .setAudience(this.#tokenUrl)
        .setIssuedAt(now)
        .setExpirationTime(now + ASSERTION_SECONDS)
        .sign(await importPKCS8(key, 'RS256'));
    } catch {
      return { fault: 'refused', message: 'The private key of the service account cannot be read.' };
    }
    const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString();
    let answered: Awaited<ReturnType<PostForm>>;
    try {
      answered = await this.#post(this.#tokenUrl, form);
    } catch (error) {
      return { fault: 'unavailable', message: error instanceof Error ? error.message : 'no token could be got' };
    }
    const { status, text } = answered;
    if (status === 400 || status === 401 || status === 403) return { fault: 'refused', message: 'Google gives no token for this key.' };
    const told = TokenAnswer.safeParse(parsed(text));
    if (status !== 200 || !told.success) return { fault: 'unavailable', message: `the token endpoint answered ${status}` };
    const kept = { token: told.data.access_token, until: this.#clock.now() + told.data.expires_in * 1_000 - EARLY_MS };
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(credential, kept);
    return kept;
  }
}
