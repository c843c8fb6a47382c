import type { Position } from '../../schemas/event-envelope.ts';
import type { EventType } from '../../schemas/events/catalogue.ts';
import type { UserId } from '../../schemas/ids.ts';
import { channels } from '../channels/projection.ts';
import type { ChannelDocument } from '../channels/tables.ts';
import { contradictionWithLog } from '../engine/against-log.ts';
import { readCheckpoints } from '../engine/checkpoint.ts';
import { readDocuments, type DocumentAt } from '../engine/document-rows.ts';
import { blockedStreams } from '../engine/parked-events.ts';
import { ReadModelsUnavailable } from '../engine/read-models-unavailable.ts';
import type { CachedDocument } from '../ports/document-cache.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { priceLists } from '../price-lists/projection.ts';
import type { PriceDocument } from '../price-lists/tables.ts';
import { routingRules } from '../routing-rules/projection.ts';
import type { RoutingRulesDocument } from '../routing-rules/tables.ts';
import { tokenLookup } from '../token-lookup/projection.ts';
import type { TokenDocument } from '../token-lookup/tables.ts';
import { users } from '../users/projection.ts';
import type { UserDocument } from '../users/tables.ts';
import type { HeldDocuments } from './held-documents.ts';
import { countRows, newestKeys, readSome, recentChanges } from './partial-rows.ts';
import type { WarmDocuments } from './warm-documents.ts';

/** Everything that a directory holds. */
export interface DirectoryDocuments {
  readonly tokens: HeldDocuments<(typeof tokenLookup.types)[number], TokenDocument>;
  readonly users: HeldDocuments<(typeof users.types)[number], UserDocument>;
  readonly channels: HeldDocuments<(typeof channels.types)[number], ChannelDocument>;
  readonly prices: HeldDocuments<(typeof priceLists.types)[number], PriceDocument>;
  readonly routing: HeldDocuments<(typeof routingRules.types)[number], RoutingRulesDocument>;
}

/** How keys and users are loaded where there may be more of them than memory is to hold. */
export interface LoadBound {
  /** Most keys, and most users; `null`: all there are. */
  readonly most: number | null;
  /** What need not be read from the rows. */
  readonly warm: WarmDocuments;
  /** Whose keys have been loaded. */
  readonly owners: () => Iterable<UserId>;
}

const PROJECTIONS = [tokenLookup, users, channels, priceLists, routingRules] as const;

/**
 * Loads the rows of the database into memory, in one transaction. Answers with the position from which the log has to be followed.
 *
 * @throws `ReadModelsUnavailable` where the rows contradict the log, are not there yet or do not show all that they should.
 */
export const loadRows = async (tx: Sql, feed: EventFeed, held: DirectoryDocuments, bound: LoadBound): Promise<Position> => {
  const contradiction = await contradictionWithLog(tx, feed, PROJECTIONS);
  if (contradiction !== null) throw new ReadModelsUnavailable(contradiction);
  const [tokensAt, usersAt, channelsAt, pricesAt, routingAt] = await positions(tx);
  await loadTokens(tx, held.tokens, tokensAt, bound);
  await loadUsers(tx, held.users, usersAt, bound);
  held.channels.load(await readDocuments(tx, channels), channelsAt);
  held.prices.load(await readDocuments(tx, priceLists), pricesAt);
  held.routing.load(await readDocuments(tx, routingRules), routingAt);
  return [usersAt, channelsAt, pricesAt, routingAt].reduce((least, position) => (position < least ? position : least), tokensAt);
};

/** Up to where each projection's rows go. */
const positions = async (tx: Sql): Promise<readonly [Position, Position, Position, Position, Position]> => {
  const checkpoints = await readCheckpoints(tx);
  const positionOf = async (projection: (typeof PROJECTIONS)[number]): Promise<Position> => {
    const checkpoint = checkpoints.find(
      ({ projection: name, version, build }) => build === 'live' && name === projection.name && version === projection.version,
    );
    if (checkpoint === undefined) throw new ReadModelsUnavailable(`${projection.name} has not been projected yet`);
    if ((await blockedStreams(tx, projection)).size > 0)
      throw new ReadModelsUnavailable(`${projection.name} has parked events, which its rows do not show`);
    return checkpoint.position;
  };
  return [
    await positionOf(tokenLookup),
    await positionOf(users),
    await positionOf(channels),
    await positionOf(priceLists),
    await positionOf(routingRules),
  ];
};

const isTooMany = async (tx: Sql, projection: typeof tokenLookup | typeof users, most: number): Promise<boolean> =>
  (await countRows(tx, projection)) > most;

const loadTokens = async (tx: Sql, tokens: DirectoryDocuments['tokens'], at: Position, { most, warm }: LoadBound): Promise<void> => {
  if (most === null || !(await isTooMany(tx, tokenLookup, most)))
    return tokens.load(await readDocuments(tx, tokenLookup), at, { kind: 'all', bounded: most !== null });
  tokens.load(new Map(), at, await recentChanges(tx, tokenLookup, at, tokens.changesKept));
  const wanted = new Set([...warm.used, ...(await newestKeys(tx, tokenLookup, most))]);
  await takeIn(tx, tokens, at, [...wanted].slice(0, most), warm.tokens);
};

const loadUsers = async (tx: Sql, held: DirectoryDocuments['users'], at: Position, { most, warm, owners }: LoadBound): Promise<void> => {
  if (most === null || !(await isTooMany(tx, users, most)))
    return held.load(await readDocuments(tx, users), at, { kind: 'all', bounded: most !== null });
  held.load(new Map(), at, await recentChanges(tx, users, at, held.changesKept));
  await takeIn(tx, held, at, [...new Set(owners())].slice(0, most), warm.users);
};

/** From the cache where its copies can be believed, the rest from the rows. */
const takeIn = async <Type extends EventType, Doc>(
  tx: Sql,
  held: HeldDocuments<Type, Doc>,
  at: Position,
  keys: readonly string[],
  warm: ReadonlyMap<string, CachedDocument>,
): Promise<void> => {
  const missing: string[] = [];
  const found = new Map<string, DocumentAt<Doc>>();
  for (const key of keys) {
    const cached = warm.get(key);
    const believed = cached === undefined ? undefined : held.believed(key, cached, at);
    if (believed === undefined) missing.push(key);
    else found.set(key, believed);
  }
  for (const [key, row] of await readSome(tx, held.projection, missing)) found.set(key, row);
  // Who was used last comes last, and goes last.
  for (const key of [...keys].reverse()) {
    const current = found.get(key);
    if (current !== undefined) held.takeIn(key, current);
  }
};
