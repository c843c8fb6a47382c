import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { TokenEvent } from '../../schemas/events/catalogue.ts';
import { UNRESTRICTED, type KeyHash, type TokenRestrictions } from '../../schemas/events/token.ts';
import type { StreamName, TokenId, UserId } from '../../schemas/ids.ts';
import type { Instant } from '../../schemas/time.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const tokenStream = (tokenId: TokenId): StreamName => streamName('token', tokenId);

/** An API key. What stands in its way is kept apart, so that lifting one thing brings back what was before it. */
export interface Token {
  readonly userId: UserId | null;
  readonly name: string;
  readonly expiresAt: Instant | null;
  readonly restrictions: TokenRestrictions;
  readonly disabled: boolean;
  readonly revoked: boolean;
  readonly exhausted: boolean;
}

export type TokenStatus = 'active' | 'disabled' | 'revoked' | 'exhausted' | 'expired';

const initial: Token = {
  userId: null,
  name: '',
  expiresAt: null,
  restrictions: UNRESTRICTED,
  disabled: false,
  revoked: false,
  exhausted: false,
};

/** The gravest of what stands in the key's way. `now` in milliseconds since the Unix epoch: expiry is a matter of the clock, and no event says it. */
export const tokenStatus = (token: Pick<Token, 'expiresAt' | 'disabled' | 'revoked' | 'exhausted'>, now: number): TokenStatus => {
  if (token.revoked) return 'revoked';
  if (token.disabled) return 'disabled';
  if (token.expiresAt !== null && Date.parse(token.expiresAt) <= now) return 'expired';
  return token.exhausted ? 'exhausted' : 'active';
};

const evolve = (state: Token, { type, data }: TokenEvent): Token => {
  switch (type) {
    case 'TokenIssued':
      return { ...initial, userId: data.userId, name: data.name, expiresAt: data.expiresAt, restrictions: data.restrictions };
    case 'TokenRenewed':
      return { ...state, name: data.name, expiresAt: data.expiresAt };
    case 'TokenRestricted':
      return { ...state, restrictions: data.restrictions };
    case 'TokenDisabled':
      return { ...state, disabled: true };
    case 'TokenEnabled':
      return { ...state, disabled: false };
    case 'TokenRevoked':
      return { ...state, revoked: true };
    case 'TokenRestored':
      return { ...state, revoked: false, exhausted: false };
    case 'TokenExhausted':
      return { ...state, exhausted: true };
  }
};

export type TokenCommand =
  | {
      readonly kind: 'issue';
      readonly userId: UserId;
      readonly name: string;
      readonly keyHash: KeyHash;
      readonly keyPrefix: string;
      readonly expiresAt: Instant | null;
      readonly restrictions: TokenRestrictions;
    }
  /** Absent: as it is. */
  | { readonly kind: 'renew'; readonly name?: string; readonly expiresAt?: Instant | null }
  | { readonly kind: 'restrict'; readonly restrictions: TokenRestrictions }
  | { readonly kind: 'disable'; readonly reason: string }
  | { readonly kind: 'enable' }
  | { readonly kind: 'revoke'; readonly reason: string }
  /** Takes back a revocation and reopens an exhausted key; a key that was disabled besides stays so. */
  | { readonly kind: 'restore' }
  | { readonly kind: 'exhaust' }
  /** Opens an exhausted key; one that is revoked stays so. */
  | { readonly kind: 'reopen' };

const sameList = (a: readonly string[] | null, b: readonly string[] | null): boolean =>
  a === null || b === null ? a === b : a.length === b.length && a.every((item, index) => item === b[index]);

const sameRestrictions = (a: TokenRestrictions, b: TokenRestrictions): boolean =>
  sameList(a.models, b.models) && sameList(a.endpoints, b.endpoints) && sameList(a.addresses, b.addresses);

const decide = (command: TokenCommand, state: Token, tokenId: TokenId): readonly TokenEvent[] | Refusal => {
  if (command.kind === 'issue') {
    if (state.userId !== null) return refuse('already_exists', 'This key has been issued already.');
    const { userId, name, keyHash, keyPrefix, expiresAt, restrictions } = command;
    return [{ type: 'TokenIssued', data: { tokenId, userId, name, keyHash, keyPrefix, expiresAt, restrictions } }];
  }
  if (state.userId === null) return refuse('not_found', 'There is no such key.');
  if (command.kind === 'restore') return state.revoked || state.exhausted ? [{ type: 'TokenRestored', data: { tokenId } }] : [];
  if (command.kind === 'reopen') return state.exhausted && !state.revoked ? [{ type: 'TokenRestored', data: { tokenId } }] : [];
  if (command.kind === 'revoke') return state.revoked ? [] : [{ type: 'TokenRevoked', data: { tokenId, reason: command.reason } }];
  if (command.kind === 'exhaust') return state.exhausted ? [] : [{ type: 'TokenExhausted', data: { tokenId } }];
  if (state.revoked) return refuse('wrong_state', 'The key has been revoked. Restore it first, or make a new one.');

  switch (command.kind) {
    case 'renew': {
      const { name = state.name, expiresAt = state.expiresAt } = command;
      return name === state.name && expiresAt === state.expiresAt ? [] : [{ type: 'TokenRenewed', data: { tokenId, name, expiresAt } }];
    }
    case 'restrict':
      return sameRestrictions(command.restrictions, state.restrictions)
        ? []
        : [{ type: 'TokenRestricted', data: { tokenId, restrictions: command.restrictions } }];
    case 'disable':
      return state.disabled ? [] : [{ type: 'TokenDisabled', data: { tokenId, reason: command.reason } }];
    case 'enable':
      return state.disabled ? [{ type: 'TokenEnabled', data: { tokenId } }] : [];
  }
};

/** One API key. */
export const tokenOf = (tokenId: TokenId): Decider<Token, TokenCommand, TokenEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, tokenId),
});
