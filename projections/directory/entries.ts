import type { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import type { TokenRestrictions } from '../../schemas/events/token.ts';
import type { ChannelId, PriceListId, TokenId, UserId } from '../../schemas/ids.ts';
import type { ModelPrice } from '../../schemas/price.ts';
import type { ChannelKeyDocument } from '../channels/tables.ts';
import type { PriceListDocument } from '../price-lists/tables.ts';
import type { UserDocument } from '../users/tables.ts';

export interface TokenEntry {
  readonly tokenId: TokenId;
  readonly userId: UserId;
  readonly name: string;
  readonly disabled: boolean;
  readonly revoked: boolean;
  readonly exhausted: boolean;
  /** Milliseconds since the Unix epoch; `null` never expires. */
  readonly expiresAt: number | null;
  readonly restrictions: TokenRestrictions;
}

export type UserEntry = Pick<UserDocument, 'userId' | 'email' | 'displayName' | 'role' | 'group' | 'suspended' | 'credentialsRevision'>;

/** A channel that is enabled. Settings that did not change stay the same object. */
export interface ChannelEntry {
  readonly channelId: ChannelId;
  readonly settings: ChannelSettings;
  readonly health: ChannelHealth;
  /** Models that fail there, as somebody told the log. */
  readonly failingModels: readonly string[];
  readonly keys: readonly ChannelKeyDocument[];
}

export interface PriceEntry {
  readonly priceListId: PriceListId;
  readonly price: ModelPrice;
}

/** A price list with its models by name. */
export interface PriceListEntry {
  readonly list: PriceListDocument;
  readonly prices: ReadonlyMap<string, ModelPrice>;
}
