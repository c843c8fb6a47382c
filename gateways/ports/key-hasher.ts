import type { KeyHash } from '../../schemas/events/token.ts';

/** HMAC of an API key under the installation's pepper. Takes any text: whether it is a key at all, the look-up says. */
export interface KeyHasher {
  hashKey(key: string): KeyHash;
}
