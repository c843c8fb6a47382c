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

export type KeyUse = 'spend' | 'look';

/**
 * Who calls: the key's owner, if the key may be used at all, from here, and for this. To look (`look`: what the key may do and
 * has left) a key may be used up or expired; to spend it may not.
 */
export const authenticate = (
  deps: Pick<RelayDeps, 'apiKeys' | 'directory' | 'clock'>,
  call: Call,
  door: z.infer<typeof Door> | null,
  use: KeyUse,
): Caller | Refusal => {
  const header = call.req.headers.authorization;
  if (header === undefined || header === '') return refuse('missing_api_key');
  const key = BEARER.exec(header)?.[1];
  if (key === undefined) return refuse('missing_api_key', 'The authorization header is not of the form: Bearer YOUR_KEY.');
  const hash = deps.apiKeys.hashOf(key);
  const token = hash === null ? undefined : deps.directory.tokenByHash(hash);
  if (token === undefined) return refuse('invalid_api_key');
  const user = deps.directory.user(token.userId);
  if (user === undefined) return refuse('invalid_api_key');
  call.caller = { token, user };

  if (token.revoked) return refuse('key_revoked');
  if (token.disabled) return refuse('key_disabled');
  if (user.suspended) return refuse('user_suspended');
  if (use === 'spend') {
    if (token.expiresAt !== null && deps.clock.now() >= token.expiresAt) return refuse('key_expired');
    if (token.exhausted) return refuse('key_exhausted');
  }
  const { addresses, endpoints } = token.restrictions;
  if (addresses !== null && !addressAllowed(addresses, call.req.ip)) return refuse('address_not_allowed');
  if (door !== null && endpoints !== null && !endpoints.includes(door)) return refuse('endpoint_not_allowed');
  return call.caller;
};

export const mayUseModel = ({ token }: Caller, model: string): boolean =>
  token.restrictions.models === null || token.restrictions.models.includes(model);
