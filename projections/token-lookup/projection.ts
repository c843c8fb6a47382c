import type { TokenEvent } from '../../schemas/events/catalogue.ts';
import { tokenEvents } from '../../schemas/events/token.ts';
import type { ProjectedEvent } from '../engine/projected-event.ts';
import { documentProjection } from '../engine/projection.ts';
import { TOKEN_LOOKUP, TokenDocument } from './tables.ts';

type TokenEventType = TokenEvent['type'];

const evolve = (doc: TokenDocument | undefined, event: ProjectedEvent<TokenEventType>): TokenDocument | undefined => {
  const { type, data, revision } = event;
  if (type === 'TokenIssued') {
    const { tokenId, userId, name, keyHash, keyPrefix, expiresAt, restrictions } = data;
    return {
      tokenId,
      userId,
      name,
      keyHash,
      keyPrefix,
      expiresAt,
      restrictions,
      disabled: false,
      revoked: false,
      exhausted: false,
      statusReason: null,
      createdAt: event.occurredAt,
      revision,
    };
  }
  if (doc === undefined) return undefined;
  switch (type) {
    case 'TokenRenewed':
      return { ...doc, name: data.name, expiresAt: data.expiresAt, revision };
    case 'TokenRestricted':
      return { ...doc, restrictions: data.restrictions, revision };
    case 'TokenDisabled':
      return { ...doc, disabled: true, statusReason: data.reason, revision };
    case 'TokenEnabled':
      return { ...doc, disabled: false, statusReason: null, revision };
    case 'TokenRevoked':
      return { ...doc, revoked: true, statusReason: data.reason, revision };
    case 'TokenRestored':
      return { ...doc, revoked: false, exhausted: false, statusReason: null, revision };
    case 'TokenExhausted':
      return { ...doc, exhausted: true, revision };
  }
};

/** API keys: whose they are, what they may do, and whether they may. */
export const tokenLookup = documentProjection({
  ...TOKEN_LOOKUP,
  types: Object.keys(tokenEvents) as readonly TokenEventType[],
  schema: TokenDocument,
  indexes: [`((doc->>'userId'), key)`, `((doc->>'keyHash'))`],
  keyOf: ({ data }) => data.tokenId,
  evolve,
});
