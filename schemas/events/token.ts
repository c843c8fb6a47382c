import { z } from 'zod';
import { TokenId, UserId } from '../ids.ts';
import { Instant } from '../time.ts';

/** Doors that a key may be let through. */
export const Endpoint = z.enum([
  'chat',
  'embeddings',
  'models',
  'billing',
  'moderations',
  'rerank',
  'images',
  'audio',
  'pass_through',
  'files',
  'batches',
  'tasks',
]);
export type Endpoint = z.infer<typeof Endpoint>;

/** `null` means no restriction. An empty list would let nothing through and is refused. */
export const TokenRestrictions = z.object({
  models: z.array(z.string().min(1).max(200)).min(1).max(500).nullable(),
  endpoints: z.array(Endpoint).min(1).nullable(),
  /** Addresses or CIDR ranges, IPv4 or IPv6. */
  addresses: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'expected an address or a CIDR range, such as 10.0.0.0/8'))
    .min(1)
    .max(200)
    .nullable(),
});
export type TokenRestrictions = z.infer<typeof TokenRestrictions>;
export const UNRESTRICTED: TokenRestrictions = { models: null, endpoints: null, addresses: null };

/** Hex of HMAC-SHA-256 of the key under the installation's pepper. */
export const KeyHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand('KeyHash');
export type KeyHash = z.infer<typeof KeyHash>;

export const tokenEvents = {
  TokenIssued: z.object({
    tokenId: TokenId,
    userId: UserId,
    name: z.string().min(1).max(100),
    keyHash: KeyHash,
    /** The first characters of the key, enough to recognise it and too few to use it. */
    keyPrefix: z.string().max(16),
    expiresAt: Instant.nullable(),
    restrictions: TokenRestrictions,
  }),
  TokenRenewed: z.object({ tokenId: TokenId, name: z.string().min(1).max(100), expiresAt: Instant.nullable() }),
  TokenRestricted: z.object({ tokenId: TokenId, restrictions: TokenRestrictions }),
  TokenDisabled: z.object({ tokenId: TokenId, reason: z.string().max(500) }),
  TokenEnabled: z.object({ tokenId: TokenId }),
  TokenRevoked: z.object({ tokenId: TokenId, reason: z.string().max(500) }),
  TokenRestored: z.object({ tokenId: TokenId }),
  TokenExhausted: z.object({ tokenId: TokenId }),
} as const;
