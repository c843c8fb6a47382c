import { SignJWT } from 'jose';
import type { Clock } from '../../commands/ports/clock.ts';

/** How long a token is good for; one is made for every call. */
const TOKEN_MS = 180_000;

/** A token of Zhipu’s, made of a key of the form `id.secret`; `null` for any other. Its times are in milliseconds, unlike other people’s. */
export const zhipuToken = async (credential: string, clock: Clock): Promise<string | null> => {
  const [id = '', secret = '', ...rest] = credential.split('.');
  if (id === '' || secret === '' || rest.length > 0) return null;
  const now = clock.now();
  return new SignJWT({ api_key: id, timestamp: now, exp: now + TOKEN_MS })
    .setProtectedHeader({ alg: 'HS256', sign_type: 'SIGN' })
    .sign(new TextEncoder().encode(secret));
};
