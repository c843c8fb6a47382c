import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_ROUTING, routingFor, type Routing } from '../../domain/relay/routing-rules.ts';
import type { Position, RecordedEvent } from '../../schemas/event-envelope.ts';
import { START } from '../../schemas/event-envelope.ts';
import type { KeyHash } from '../../schemas/events/token.ts';
import type { RoutingRules } from '../../schemas/events/routing.ts';
import type { ChannelId, PriceListId, StreamName, TokenId, UserId } from '../../schemas/ids.ts';
import type { Ratio } from '../../schemas/price.ts';
import { channels } from '../channels/projection.ts';
import type { ChannelDocument } from '../channels/tables.ts';
import { ReadModelsUnavailable } from '../engine/read-models-unavailable.ts';
import type { Clock } from '../ports/clock.ts';
import type { CachedKind, DocumentCache } from '../ports/document-cache.ts';
import type { EventFeed } from '../ports/event-feed.ts';
import type { ReadModelDatabase, Sql } from '../ports/read-model-database.ts';
import { priceLists } from '../price-lists/projection.ts';
import type { PriceDocument } from '../price-lists/tables.ts';
import { routingRules } from '../routing-rules/projection.ts';
import { tokenLookup } from '../token-lookup/projection.ts';
import type { TokenDocument } from '../token-lookup/tables.ts';
import { users } from '../users/projection.ts';
import type { UserDocument } from '../users/tables.ts';
import { ChannelIndex } from './channel-index.ts';
import type { ChannelEntry, PriceEntry, PriceListEntry, TokenEntry, UserEntry } from './entries.ts';
import { HeldDocuments } from './held-documents.ts';
import { KeyLookup, type Lookup } from './key-lookup.ts';
import { OutsideDocuments, type LookupOutcome } from './outside-documents.ts';
import { loadRows } from './load-rows.ts';
import { PriceShelf } from './price-shelf.ts';
import { RecentChanges } from './recent-changes.ts';
import { watchStaleness } from './staleness.ts';
import { NOTHING_WARM, readWarm } from './warm-documents.ts';

export type DirectoryChange =
  | { readonly kind: 'token'; readonly tokenId: TokenId }
  | { readonly kind: 'user'; readonly userId: UserId }
  | { readonly kind: 'channel'; readonly channelId: ChannelId }
  | { readonly kind: 'prices' }
  | { readonly kind: 'routing' };

export type DirectoryReport =
  /** An event could not be folded in; the document that it is about is gone from the directory. */
  | { readonly kind: 'distrusted'; readonly stream: string; readonly position: Position; readonly error: Error }
  /** Why the log is followed from its beginning instead of from the rows of the database. */
  | { readonly kind: 'without_rows'; readonly reason: string }
  | { readonly kind: 'interrupted'; readonly error: Error };

export interface DirectoryOptions {
  readonly feed: EventFeed;
  /** Whose rows shorten the way; without one, or while it is away, the directory is folded from the whole log. */
  readonly database?: ReadModelDatabase;
  readonly clock: Clock;
  readonly report?: (report: DirectoryReport) => void;
  /** Most keys, and most users, in memory; the others are looked up when they are used. Needs `database` and `readStream`. All, unless given. */
  readonly most?: number;
  readonly readStream?: (stream: StreamName) => AsyncIterable<RecordedEvent>;
  /** Spares the database most of these look-ups. */
  readonly cache?: DocumentCache | null;
  readonly lookedUp?: (kind: CachedKind, outcome: LookupOutcome) => void;
  /** How often the log is asked where it ends, in milliseconds. */
  readonly checkMs?: number;
  /** How long it may have been behind the log before it says so, in milliseconds. */
  readonly staleAfterMs?: number;
}

/** Calls' ways of routing are remembered; beyond so many they are all worked out anew. */
const MOST_REMEMBERED = 10_000;

const RETRY_MS = 500;
const LOOK_UPS = 3;

/** What is looked up, and whether it was since somebody asked: `used` for who may stay in memory, `fresh` for {@link Directory.shareUse}. */
interface Used<Entry> {
  readonly entry: Entry;
  used: boolean;
  fresh: boolean;
}

const use = <Entry>(held: Used<Entry> | undefined): Entry | undefined => {
  if (held === undefined) return undefined;
  held.used = true;
  held.fresh = true;
  return held.entry;
};

const takeUse = (held: Used<unknown> | undefined): boolean => {
  if (held?.used !== true) return false;
  held.used = false;
  return true;
};

const tokenEntry = ({ tokenId, userId, name, disabled, revoked, exhausted, expiresAt, restrictions }: TokenDocument): TokenEntry => ({
  tokenId,
  userId,
  name,
  disabled,
  revoked,
  exhausted,
  expiresAt: expiresAt === null ? null : Date.parse(expiresAt),
  restrictions,
});

/**
 * Keys, people, channels and prices in this process's memory, for look-ups that may not wait. Every process keeps its own
 * current from the log itself, so that a revoked key is revoked everywhere as soon as the log can be read.
 */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #tokens: HeldDocuments<(typeof tokenLookup.types)[number], TokenDocument>;
  readonly #users: HeldDocuments<(typeof users.types)[number], UserDocument>;
  readonly #lookup: KeyLookup | null;
  readonly #channels = new HeldDocuments(channels, { changed: (key, doc) => this.#channelChanged(key as ChannelId, doc) });
  readonly #prices = new HeldDocuments(priceLists, { changed: (key, doc) => this.#priceChanged(key, doc) });
  readonly #routing = new HeldDocuments(routingRules, { changed: (_key, doc) => this.#rulesChanged(doc?.rules ?? []) });

  readonly #tokenByHash = new Map<KeyHash, Used<TokenEntry>>();
  readonly #userById = new Map<UserId, Used<UserEntry>>();
  readonly #channelIndex = new ChannelIndex();
  readonly #priceShelf = new PriceShelf();
  #rules: RoutingRules = [];
  readonly #routings = new Map<string, Routing>();
  readonly #listeners = new Set<(change: DirectoryChange) => void>();
  #position: Position = START;
  #lastIssued: Position = START;
  #ready = false;
  #becomeReady: () => void = () => undefined;
  readonly #readiness: Promise<void>;
  #staleSince: number | null = null;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    const { most = Infinity, cache = null, database, readStream, clock } = options;
    this.#tokens = new HeldDocuments(
      tokenLookup,
      {
        changed: (_key, doc, before) => this.#tokenChanged(doc, before),
        changedOutside: (key, position) => void cache?.drop('token', key, position),
        forgotten: (_key, { keyHash }) => this.#tokenByHash.delete(keyHash),
        wasUsed: (_key, { keyHash }) => takeUse(this.#tokenByHash.get(keyHash)),
      },
      { most, changes: new RecentChanges() },
    );
    this.#users = new HeldDocuments(
      users,
      {
        changed: (key, doc) => this.#userChanged(key as UserId, doc),
        changedOutside: (key, position) => void cache?.drop('user', key, position),
        forgotten: (key) => this.#userById.delete(key as UserId),
        wasUsed: (key) => takeUse(this.#userById.get(key as UserId)),
      },
      { most, changes: new RecentChanges() },
    );
    this.#lookup = null;
    if (database !== undefined && readStream !== undefined) {
      const report = options.lookedUp ?? ((): void => undefined);
      const outside = { sql: database, cache, readStream, position: () => this.#position, report };
      this.#lookup = new KeyLookup({
        tokens: new OutsideDocuments('token', this.#tokens, outside),
        // What proves who somebody is stays where it has to be.
        users: new OutsideDocuments('user', this.#users, outside, (doc) => ({ ...doc, passwordHash: null })),
        cache,
        clock,
        lastIssued: () => this.#lastIssued,
        holdsUser: (userId) => this.#userById.has(userId),
        report,
      });
    }
    this.#readiness = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
  }

  /** Everything at or before it is in the directory. */
  get position(): Position {
    return this.#position;
  }

  /** It has seen the whole log once. Until then it knows too little to refuse anybody. */
  get ready(): boolean {
    return this.#ready;
  }

  whenReady(): Promise<void> {
    return this.#readiness;
  }

  /** Since when it has been behind the log, or not able to tell, in milliseconds since the Unix epoch; `null` while it is current. */
  get staleSince(): number | null {
    return this.#staleSince;
  }

  tokenByHash(keyHash: KeyHash): TokenEntry | undefined {
    return use(this.#tokenByHash.get(keyHash));
  }

  user(userId: UserId): UserEntry | undefined {
    return use(this.#userById.get(userId));
  }

  /** Every key and every user is in memory: who is not there does not exist. */
  get complete(): boolean {
    return this.#tokens.complete && this.#users.complete;
  }

  /** Keys and users in memory. */
  get held(): { readonly tokens: number; readonly users: number } {
    return { tokens: this.#tokenByHash.size, users: this.#userById.size };
  }

  /** A key that memory does not hold, and its owner, from outside; `null` where there is nothing to be found outside. */
  lookUp(keyHash: KeyHash): Promise<{ readonly token: TokenEntry; readonly user: UserEntry } | Exclude<Lookup, 'found'>> | null {
    return this.complete || this.#lookup === null ? null : this.#lookUp(this.#lookup, keyHash);
  }

  async #lookUp(
    lookup: KeyLookup,
    keyHash: KeyHash,
  ): Promise<{ readonly token: TokenEntry; readonly user: UserEntry } | Exclude<Lookup, 'found'>> {
    // What was found may have had to make room again before it is looked at.
    for (let times = 0; times < LOOK_UPS; times++) {
      const found = await lookup.find(keyHash, this.#tokenByHash.get(keyHash)?.entry.userId);
      if (found !== 'found') return found;
      const token = this.tokenByHash(keyHash);
      const user = token === undefined ? undefined : this.user(token.userId);
      if (token !== undefined && user !== undefined) return { token, user };
    }
    return 'unavailable';
  }

  /** Says in the cache which keys were used since this was called last, for processes that start. Costs a look at each that is held. */
  async shareUse(): Promise<void> {
    const { cache = null, most = Infinity } = this.#options;
    if (cache === null || this.complete) return;
    const used: string[] = [];
    for (const held of this.#tokenByHash.values()) {
      if (!held.fresh) continue;
      held.fresh = false;
      used.push(held.entry.tokenId);
    }
    if (used.length > 0) await cache.used(used, most);
  }

  /** Every enabled channel. */
  channels(): readonly ChannelEntry[] {
    return this.#channelIndex.all();
  }

  /** Enabled channels that serve the model, whatever the group. */
  channelsForModel(model: string): readonly ChannelEntry[] {
    return this.#channelIndex.forModel(model);
  }

  /** Enabled channels of the provider, whatever they serve. */
  channelsOfProvider(provider: string): readonly ChannelEntry[] {
    return this.#channelIndex.ofProvider(provider);
  }

  /** Every model that an enabled channel serves, by name; of those that fit a pattern only, the ones that have a price. */
  models(): readonly string[] {
    return this.#channelIndex.models(() => this.priceListAt(this.#options.clock.now())?.prices.keys() ?? []);
  }

  /** The name under which a model is served that is not served under this one: the same but for capitals and the like. */
  modelMeant(model: string): string | undefined {
    return this.#channelIndex.modelMeant(model);
  }

  /** How calls of the model by the group are routed. */
  routingFor(model: string, group: string): Routing {
    if (this.#rules.length === 0) return DEFAULT_ROUTING;
    const call = `${group}\n${model}`;
    let routing = this.#routings.get(call);
    if (routing === undefined) {
      routing = routingFor(this.#rules, model, group);
      if (this.#routings.size >= MOST_REMEMBERED) this.#routings.clear();
      this.#routings.set(call, routing);
    }
    return routing;
  }

  /** From the price list in force now. */
  price(model: string): PriceEntry | undefined {
    const entry = this.priceListAt(this.#options.clock.now());
    const price = entry?.prices.get(model);
    return entry === undefined || price === undefined ? undefined : { priceListId: entry.list.priceListId, price };
  }

  /** The list in force at a moment, in milliseconds since the Unix epoch. */
  priceListAt(moment: number): PriceListEntry | undefined {
    return this.#priceShelf.listAt(moment);
  }

  priceList(priceListId: PriceListId): PriceListEntry | undefined {
    return this.#priceShelf.list(priceListId);
  }

  /** One, for a group that was given none. */
  groupRatio(group: string): Ratio {
    return this.#priceShelf.ratioOf(group);
  }

  /** Calls back after each change, with what changed. Answers with the way to stop. */
  onChange(listener: (change: DirectoryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Loads, and follows the log until the signal aborts; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { feed, clock, checkMs, staleAfterMs } = this.#options;
    const reached = (): Position => this.#position;
    const watch = watchStaleness({ feed, clock, reached, checkMs, staleAfterMs }, signal, (since) => (this.#staleSince = since));
    let position: Position | null = null;
    while (!signal.aborted) {
      try {
        position ??= await this.#load();
        await this.#follow(position, signal);
      } catch (error) {
        this.#report({ kind: 'interrupted', error: error instanceof Error ? error : new Error(String(error)) });
        // The log may have lost what was seen of it, so it begins anew; rows that contradict the log are not taken.
        position = null;
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    await watch;
  }

  async #follow(after: Position, signal: AbortSignal): Promise<void> {
    const held = [this.#tokens, this.#users, this.#channels, this.#prices, this.#routing] as const;
    const types = held.flatMap(({ projection }) => [...projection.types]);
    for await (const message of this.#options.feed.subscribe({ after, filter: { types }, signal })) {
      if (message.kind === 'events') {
        for (const event of message.events) {
          if (event.type === 'TokenIssued' && event.position > this.#lastIssued) this.#lastIssued = event.position;
          for (const documents of held) {
            const error = documents.apply(event);
            if (error !== null) this.#report({ kind: 'distrusted', stream: event.stream, position: event.position, error });
          }
          if (event.position > this.#position) this.#position = event.position;
        }
      } else {
        if (message.position > this.#position) this.#position = message.position;
        if (message.kind === 'caughtUp' && !this.#ready) {
          this.#ready = true;
          this.#becomeReady();
        }
      }
    }
  }

  /** Takes the rows of the database where they can be trusted. Answers with the place from which the log has to be followed. */
  async #load(): Promise<Position> {
    const { database, feed, cache = null, most = Infinity } = this.#options;
    const held = { tokens: this.#tokens, users: this.#users, channels: this.#channels, prices: this.#prices, routing: this.#routing };
    if (database !== undefined) {
      try {
        const bound = this.#lookup !== null && most < Infinity ? most : null;
        const warm = cache === null || most === Infinity ? NOTHING_WARM : await readWarm(database, cache, most);
        const owners = (): readonly UserId[] => [...this.#tokenByHash.values()].map(({ entry }) => entry.userId);
        const load = (tx: Sql): Promise<Position> => loadRows(tx, feed, held, { most: bound, warm, owners });
        this.#position = await database.transaction(load, { snapshot: true });
        return this.#position;
      } catch (error) {
        if (!(error instanceof ReadModelsUnavailable)) throw error;
        this.#report({ kind: 'without_rows', reason: error.message });
      }
    }
    for (const documents of Object.values(held)) documents.load(new Map(), START);
    this.#position = START;
    return START;
  }

  #tokenChanged(doc: TokenDocument | undefined, before: TokenDocument | undefined): void {
    if (before !== undefined && before.keyHash !== doc?.keyHash) this.#tokenByHash.delete(before.keyHash);
    if (doc !== undefined) {
      this.#tokenByHash.set(doc.keyHash, { entry: tokenEntry(doc), used: false, fresh: false });
      this.#lookup?.issued(doc.keyHash);
    }
    const tokenId = (doc ?? before)?.tokenId;
    if (tokenId !== undefined) this.#tell({ kind: 'token', tokenId });
  }

  #userChanged(userId: UserId, doc: UserDocument | undefined): void {
    if (doc === undefined) this.#userById.delete(userId);
    else {
      const { email, displayName, role, group, suspended, credentialsRevision } = doc;
      this.#userById.set(userId, {
        entry: { userId, email, displayName, role, group, suspended, credentialsRevision },
        used: true,
        fresh: true,
      });
    }
    this.#tell({ kind: 'user', userId });
  }

  #channelChanged(channelId: ChannelId, doc: ChannelDocument | undefined): void {
    this.#channelIndex.changed(channelId, doc);
    this.#tell({ kind: 'channel', channelId });
  }

  #priceChanged(key: string, doc: PriceDocument | undefined): void {
    this.#priceShelf.changed(key, doc);
    this.#tell({ kind: 'prices' });
  }

  #rulesChanged(rules: RoutingRules): void {
    this.#rules = rules;
    this.#routings.clear();
    this.#tell({ kind: 'routing' });
  }

  #tell(change: DirectoryChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #report(report: DirectoryReport): void {
    this.#options.report?.(report);
  }
}
