import type { Endpoint, TokenRestrictions } from '../../../schemas/events/token.ts';
import type { ChangeKey, CreateKey, KeyCreated, KeyStatus as KeyStatusSchema, KeyView, SetCaps } from '../../../schemas/http/keys.ts';
import type { Done, Wire } from '../../../schemas/http/wire.ts';
import { call } from './http.ts';
import type { Page, Paging, Scope } from './span.ts';

export type Key = Wire<typeof KeyView>;
export type KeyStatus = Wire<typeof KeyStatusSchema>;
export type KeyEndpoint = Wire<typeof Endpoint>;
export type KeyRestrictions = Wire<typeof TokenRestrictions>;
export type NewKey = Wire<typeof CreateKey>;
export type IssuedKey = Wire<typeof KeyCreated>;
export type CapsChange = Wire<typeof SetCaps>;
type Accepted = Wire<typeof Done>;

export interface KeyFilter extends Paging {
  readonly scope?: Scope;
  readonly status?: KeyStatus;
  readonly search?: string;
  readonly userId?: string;
}

const at = (tokenId: string, rest = ''): string => `/keys/${encodeURIComponent(tokenId)}${rest}`;

export const listKeys = (filter: KeyFilter, signal?: AbortSignal): Promise<Page<Key>> =>
  call('GET', '/keys', { query: { ...filter }, signal });
export const readKey = (tokenId: string, signal?: AbortSignal): Promise<Key> => call('GET', at(tokenId), { signal });
export const createKey = (key: NewKey): Promise<IssuedKey> => call('POST', '/keys', { body: key });
export const changeKey = (tokenId: string, change: Wire<typeof ChangeKey>, revision: number): Promise<Accepted> =>
  call('PATCH', at(tokenId), { body: change, revision });
export const restrictKey = (tokenId: string, restrictions: KeyRestrictions, revision?: number): Promise<Accepted> =>
  call('PUT', at(tokenId, '/restrictions'), { body: restrictions, revision });
export const setKeyCaps = (tokenId: string, caps: CapsChange): Promise<Accepted> => call('PUT', at(tokenId, '/caps'), { body: caps });
export const enableKey = (tokenId: string, revision: number): Promise<Accepted> => call('POST', at(tokenId, '/enable'), { revision });
export const disableKey = (tokenId: string, revision: number): Promise<Accepted> =>
  call('POST', at(tokenId, '/disable'), { body: {}, revision });
export const revokeKey = (tokenId: string, reason: string, revision: number): Promise<Accepted> =>
  call('POST', at(tokenId, '/revoke'), { body: { reason }, revision });
export const restoreKey = (tokenId: string, revision: number): Promise<Accepted> => call('POST', at(tokenId, '/restore'), { revision });
