import { z } from 'zod';
import type { Clock } from '../../commands/ports/clock.ts';
import type { PostForm, Token } from './google-tokens.ts';

const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const TokenRefusal = z.object({ error: z.string(), error_description: z.string().optional() });

/** A token is renewed this long before it ends, and not kept for longer than a day, though Baidu’s hold for thirty. */
const EARLY_MS = 120_000;
const MOST_MS = 24 * 3_600_000;

/** More keys than this are not in use at once; old tokens are let go all together. */
const MOST_KEPT = 1_000;

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
};

/** Baidu’s tokens for keys of the form `API key|secret key`, each got once for as long as it is kept, whoever asks for it meanwhile. */
export class BaiduTokens {
  readonly #post: PostForm;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly token: string; readonly until: number }>();
  readonly #asked = new Map<string, Promise<Token>>();

  constructor(post: PostForm, clock: Clock) {
    this.#post = post;
    this.#clock = clock;
  }

  /** `origin`: where the key is of, which is where tokens are got, too. */
  of(origin: string, credential: string): Promise<Token> {
    const name = `${origin} ${credential}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.until > this.#clock.now()) return Promise.resolve(kept);
    const asked = this.#asked.get(name);
    if (asked !== undefined) return asked;
    const asking = this.#ask(origin, credential, name).finally(() => this.#asked.delete(name));
    this.#asked.set(name, asking);
    return asking;
  }

  /** It was called invalid: the next call gets another. */
  forget(origin: string, credential: string): void {
    this.#kept.delete(`${origin} ${credential}`);
  }

  async #ask(origin: string, credential: string, name: string): Promise<Token> {
    const [id = '', secret = '', ...rest] = credential.split('|');
    if (id === '' || secret === '' || rest.length > 0)
      return { fault: 'refused', message: 'The credential is not of the form API key|secret key.' };
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret }).toString();
    let answered: Awaited<ReturnType<PostForm>>;
    try {
      answered = await this.#post(`${origin}/oauth/2.0/token`, form);
    } catch (error) {
      return { fault: 'unavailable', message: error instanceof Error ? error.message : 'no token could be got' };
    }
    const said = parsed(answered.text);
    const told = TokenAnswer.safeParse(said);
    if (told.success) {
      const kept = { token: told.data.access_token, until: this.#clock.now() + Math.min(told.data.expires_in * 1_000 - EARLY_MS, MOST_MS) };
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      this.#kept.set(name, kept);
      return kept;
    }
    if (TokenRefusal.safeParse(said).success) return { fault: 'refused', message: 'Baidu gives no token for this key.' };
    return { fault: 'unavailable', message: `the token endpoint answered ${answered.status}` };
  }
}
