import type { Refusal } from '../../schemas/errors.ts';
import type { LeaseId, RequestId, TokenId } from '../../schemas/ids.ts';

/** Vectors of some texts, in the order of the texts, and the call that they came by. */
export interface Embedded {
  readonly requestId: RequestId;
  readonly leaseId: LeaseId;
  /** All of one length; at least one number each. */
  readonly vectors: readonly Float32Array[];
}

export interface EmbedQuestion {
  readonly tokenId: TokenId;
  readonly model: string;
  readonly texts: readonly string[];
  /** Is given the vectors before they are charged; what it refuses is charged to nobody. */
  readonly keep?: (embedded: Embedded) => Promise<Refusal | null>;
}

/** Has texts embedded, at the cost of a key's owner, as a call of that key's would be: limited, held for, charged and logged. */
export interface Embedder {
  /** What comes back is charged. */
  embed(question: EmbedQuestion): Promise<Embedded | Refusal>;
}
