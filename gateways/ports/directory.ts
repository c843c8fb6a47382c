import type { z } from 'zod';
import type { Routing } from '../../domain/relay/routing-rules.ts';
import type { ChannelHealth, ChannelSettings } from '../../schemas/events/channel.ts';
import type { KeyHash, TokenRestrictions } from '../../schemas/events/token.ts';
import type { Role } from '../../schemas/events/user.ts';
import type { ChannelId, ChannelKeyId, PriceListId, TokenId, UserId } from '../../schemas/ids.ts';
import type { ModelPrice, Ratio } from '../../schemas/price.ts';
import type { Sealed } from '../../schemas/sealed.ts';

export interface DirectoryToken {
  readonly tokenId: TokenId;
  readonly userId: UserId;
  readonly name: string;
  readonly disabled: boolean;
  readonly revoked: boolean;
  /** Has spent its quota. */
  readonly exhausted: boolean;
  /** Milliseconds since the Unix epoch; `null` never expires. */
  readonly expiresAt: number | null;
  readonly restrictions: z.infer<typeof TokenRestrictions>;
}

export interface DirectoryUser {
  readonly userId: UserId;
  readonly group: string;
  readonly role: Role;
  readonly suspended: boolean;
}

export interface DirectoryChannelKey {
  readonly keyId: ChannelKeyId;
  readonly secret: Sealed;
  readonly enabled: boolean;
}

/**
 * A channel that is enabled, with all its keys: one that has none at all is called without a key, one whose keys are all
 * disabled is not called. Settings that did not change stay the same object, so that what was seen of them can be kept by it.
 */
export interface DirectoryChannel {
  readonly channelId: ChannelId;
  readonly settings: ChannelSettings;
  readonly health: z.infer<typeof ChannelHealth>;
  /** Models, by our names, that fail there while others may not. */
  readonly failingModels: readonly string[];
  readonly keys: readonly DirectoryChannelKey[];
}

export interface DirectoryPrice {
  readonly priceListId: PriceListId;
  readonly price: ModelPrice;
}

/** A key and its owner from outside of memory. `unavailable`: nobody could say. */
export type LookedUp = { readonly token: DirectoryToken; readonly user: DirectoryUser } | 'unknown' | 'unavailable';

/** What the hot path looks up: in memory, kept current by the log. No look-up waits but one for a key that memory has no room for. */
export interface Directory {
  tokenByHash(keyHash: KeyHash): DirectoryToken | undefined;
  user(userId: UserId): DirectoryUser | undefined;
  /** A key that memory does not hold, or whose owner it does not hold; `null` where memory holds all there are. */
  lookUp(keyHash: KeyHash): Promise<LookedUp> | null;
  /** Enabled channels of the provider, whatever they serve. */
  channelsOfProvider(provider: string): readonly DirectoryChannel[];
  /** Enabled channels that serve the model, whatever the group. */
  channelsForModel(model: string): readonly DirectoryChannel[];
  /** The name under which a model is served that no channel serves under this one: the same but for capitals and the like. */
  modelMeant(model: string): string | undefined;
  /** How calls of the model by the group are routed. */
  routingFor(model: string, group: string): Routing;
  /** Every model that an enabled channel serves. */
  models(): readonly string[];
  /** From the price list in force. */
  price(model: string): DirectoryPrice | undefined;
  /** One, for a group that was given none. */
  groupRatio(group: string): Ratio;
}
