import { orLogUnavailable } from '../../commands/log-unavailable.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { TokenId } from '../../schemas/ids.ts';
import type { Caller } from './call.ts';
import type { RelayDeps } from './relay-deps.ts';

/** Whose key it is, where something is done for a key that nobody shows. */
export const callerOf = async (
  { vectors, directory }: Pick<RelayDeps, 'vectors' | 'directory'>,
  tokenId: TokenId,
): Promise<Caller | Refusal> => {
  const hash = vectors === null ? null : await orLogUnavailable(vectors.keyHashOf(tokenId));
  if (isRefusal(hash)) return hash;
  if (hash === null) return refuse('key_revoked', 'There is no such API key any more.');
  const token = directory.tokenByHash(hash);
  const user = token === undefined ? undefined : directory.user(token.userId);
  if (token !== undefined && user !== undefined) return { token, user };
  const found = await (directory.lookUp(hash) ?? 'unknown');
  if (found === 'unknown') return refuse('key_revoked', 'There is no such API key any more.');
  return found === 'unavailable' ? refuse('read_model_behind', undefined, { retryAfterSeconds: 1 }) : found;
};
