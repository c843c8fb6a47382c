import type { Request } from 'express';
import { addressMatcher } from '../../domain/network/address-range.ts';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { Endpoint as Door } from '../../schemas/events/token.ts';
import type { z } from 'zod';
import type { Call, Caller } from './call.ts';
import type { RelayDeps } from './relay-deps.ts';

const BEARER = /^bearer +(\S+)$/i;

/** Made once per list of ranges, which stays the same object until the key is restricted anew. */
const matchers = new WeakMap<readonly string[], (address: string) => boolean>();

const addressAllowed = (ranges: readonly string[], address: string | undefined): boolean => {
  let matches = matchers.get(ranges);
  if (matches === undefined) {
    matches = addressMatcher(ranges);
    matchers.set(ranges, matches);
  }
  return address !== undefined && matches(address);
};

/** Addresses of Google's. */
const KEY_IN_QUERY = /^\/(?:v1beta|providers)\//;

/** A key that stands by itself, where clients of other formats than OpenAI's put it. */
const plainKey = ({ headers, url }: Request): string | null => {
  for (const given of [headers['x-api-key'], headers['x-goog-api-key'], headers['api-key'], headers['mj-api-secret']])
    if (typeof given === 'string' && given !== '') return given;
  const query = KEY_IN_QUERY.test(url) ? url.indexOf('?') : -1;
  return query < 0 ? null : new URLSearchParams(url.slice(query)).get('key');
};

/** The key that a request was sent with, well formed or not; `null` where there is none. */
export const presentedKey = (req: Request): string | null => BEARER.exec(req.headers.authorization ?? '')?.[1] ?? plainKey(req);

export type KeyUse = 'spend' | 'look';

/**
 * Who calls: the key's owner, if the key may be used at all, from here, and for this. To look (`look`: what the key may do and
 * has left) a key may be used up or expired; to spend it may not. Waits only for a key that memory does not hold.
 */
export const authenticate = (
  deps: Pick<RelayDeps, 'apiKeys' | 'directory' | 'clock'>,
  call: Call,
  door: z.infer<typeof Door> | null,
  use: KeyUse,
): Caller | Refusal | Promise<Caller | Refusal> => {
  const { authorization } = call.req.headers;
  const key = authorization === undefined || authorization === '' ? plainKey(call.req) : BEARER.exec(authorization)?.[1];
  if (key === undefined) return refuse('missing_api_key', 'The authorization header is not of the form: Bearer YOUR_KEY.');
  if (key === null) return refuse('missing_api_key');
  const hash = deps.apiKeys.hashOf(key);
  const token = hash === null ? undefined : deps.directory.tokenByHash(hash);
  const user = token === undefined ? undefined : deps.directory.user(token.userId);
  if (token !== undefined && user !== undefined) return admit(deps, call, door, use, { token, user });
  const looking = hash === null ? null : deps.directory.lookUp(hash);
  if (looking === null) return refuse('invalid_api_key');
  return looking.then((found) => {
    if (found === 'unknown') return refuse('invalid_api_key');
    if (found === 'unavailable')
      return refuse('read_model_behind', 'The API key cannot be looked up at the moment; try again.', { retryAfterSeconds: 1 });
    return admit(deps, call, door, use, found);
  });
};

/** Whether the key may be used, by what is known of it now. */
export const admit = (
  deps: Pick<RelayDeps, 'clock'>,
  call: Call,
  door: z.infer<typeof Door> | null,
  use: KeyUse,
  caller: Caller,
): Caller | Refusal => {
  call.caller = caller;
  const barred = standing(deps, caller, use);
  if (barred !== null) return barred;
  const { addresses } = caller.token.restrictions;
  if (addresses !== null && !addressAllowed(addresses, call.req.ip)) return refuse('address_not_allowed');
  return mayEnter(caller, door) ? caller : refuse('endpoint_not_allowed');
};

/** Why nothing may be done for a key, wherever it is asked for from; `null`: it may. */
export const standing = ({ clock }: Pick<RelayDeps, 'clock'>, { token, user }: Caller, use: KeyUse): Refusal | null => {
  if (token.revoked) return refuse('key_revoked');
  if (token.disabled) return refuse('key_disabled');
  if (user.suspended) return refuse('user_suspended');
  if (use === 'look') return null;
  if (token.expiresAt !== null && clock.now() >= token.expiresAt) return refuse('key_expired');
  return token.exhausted ? refuse('key_exhausted') : null;
};

export const mayEnter = ({ token }: Caller, door: z.infer<typeof Door> | null): boolean =>
  door === null || token.restrictions.endpoints === null || token.restrictions.endpoints.includes(door);

export const mayUseModel = ({ token }: Caller, model: string): boolean =>
  token.restrictions.models === null || token.restrictions.models.includes(model);
