import { expect } from 'chai';
import fc from 'fast-check';
import { Directory, type DirectoryOptions } from '../../../projections/directory/directory.ts';
import type { TokenEntry } from '../../../projections/directory/entries.ts';
import { RecentChanges } from '../../../projections/directory/recent-changes.ts';
import { channels } from '../../../projections/channels/projection.ts';
import { dropReadModels } from '../../../projections/engine/engine-schema.ts';
import { ReadModelsUnavailable } from '../../../projections/engine/read-models-unavailable.ts';
import type { CachedDocument, DocumentCache } from '../../../projections/ports/document-cache.ts';
import type { ReadModelDatabase, Sql } from '../../../projections/ports/read-model-database.ts';
import { priceLists } from '../../../projections/price-lists/projection.ts';
import { routingRules } from '../../../projections/routing-rules/projection.ts';
import { tokenLookup } from '../../../projections/token-lookup/projection.ts';
import { users } from '../../../projections/users/projection.ts';
import type { Position } from '../../../schemas/event-envelope.ts';
import { UNRESTRICTED, type KeyHash } from '../../../schemas/events/token.ts';
import type { StreamName, TokenId, UserId } from '../../../schemas/ids.ts';
import { appendsOf, histories } from '../../support/histories.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { projectAll, wallClock } from '../../support/projecting.ts';
import { emptyReadModels } from '../../support/read-models.ts';
import { eventOf, recordRaw } from '../../support/toy-projections.ts';

const HELD = [tokenLookup, users, channels, priceLists, routingRules];

/** A cache that never forgets and never goes forwards: it gives out any version that was ever put there. */
class StubbornCache implements DocumentCache {
  readonly versions = new Map<string, CachedDocument[]>();
  readonly tokens = new Map<string, string>();
  recent: readonly string[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }
  async get(kind: string, key: string): Promise<CachedDocument | null> {
    const versions = this.versions.get(`${kind} ${key}`) ?? [];
    return versions[Math.floor(this.#random() * versions.length)] ?? null;
  }
  async getAll(kind: string, keys: readonly string[]): Promise<ReadonlyMap<string, CachedDocument>> {
    const found = new Map<string, CachedDocument>();
    for (const key of keys) {
      const cached = await this.get(kind, key);
      if (cached !== null) found.set(key, cached);
    }
    return found;
  }
  async put(kind: string, key: string, cached: CachedDocument): Promise<void> {
    const name = `${kind} ${key}`;
    this.versions.set(name, [...(this.versions.get(name) ?? []), cached]);
  }
  async drop(): Promise<void> {
    // It was not reached.
  }
  async tokenOf(keyHash: string): Promise<string | null> {
    return this.tokens.get(keyHash) ?? null;
  }
  async putTokenOf(keyHash: string, tokenId: string): Promise<void> {
    this.tokens.set(keyHash, tokenId);
  }
  async used(keys: readonly string[]): Promise<void> {
    this.recent = [...keys, ...this.recent];
  }
  async lastUsed(most: number): Promise<readonly string[]> {
    return this.recent.slice(0, most);
  }
}

interface Running {
  readonly directory: Directory;
  readonly outcomes: string[];
  seen(log: MemoryLog): Promise<void>;
  stop(): Promise<void>;
}

const started: Running[] = [];

const start = async (log: MemoryLog, options: Omit<DirectoryOptions, 'clock' | 'feed'>): Promise<Running> => {
  const outcomes: string[] = [];
  const directory = new Directory({
    feed: log,
    clock: wallClock,
    readStream: (stream) => log.readStream(stream),
    lookedUp: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
    ...options,
  });
  const abort = new AbortController();
  const running = directory.run(abort.signal);
  await directory.whenReady();
  const made: Running = {
    directory,
    outcomes,
    seen: async (of) => {
      const head = await of.head();
      while (directory.position < head) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: async () => {
      abort.abort();
      await running;
    },
  };
  started.push(made);
  return made;
};

/** Whom a key belongs to and what it may do, wherever that is known. */
const entryOf = async (directory: Directory, keyHash: KeyHash): Promise<TokenEntry | string | undefined> => {
  const token = directory.tokenByHash(keyHash);
  if (token !== undefined && directory.user(token.userId) !== undefined) return token;
  const found = await directory.lookUp(keyHash);
  if (found === null || found === 'unknown') return undefined;
  return found === 'unavailable' ? found : found.token;
};

const hashOf = (n: number): KeyHash => n.toString(16).padStart(64, '0') as KeyHash;
const tokenIdOf = (n: number): TokenId => `key_${String(n).padStart(6, '0')}` as TokenId;
const streamOf = (n: number): StreamName => `token-${tokenIdOf(n)}` as StreamName;

const issue = (log: MemoryLog, n: number): Promise<void> =>
  recordRaw(
    log,
    streamOf(n),
    eventOf({
      type: 'TokenIssued',
      data: {
        tokenId: tokenIdOf(n),
        userId: 'usr_o' as UserId,
        name: `key ${n}`,
        keyHash: hashOf(n),
        keyPrefix: 'sk-ob-x',
        expiresAt: null,
        restrictions: UNRESTRICTED,
      },
    }),
  );
const revoke = (log: MemoryLog, n: number): Promise<void> =>
  recordRaw(log, streamOf(n), eventOf({ type: 'TokenRevoked', data: { tokenId: tokenIdOf(n), reason: 'lost' } }));

/** A log of one user with so many keys, and rows that show it. */
const installation = async (keys: number): Promise<{ readonly log: MemoryLog; readonly database: ReadModelDatabase }> => {
  const { database } = await emptyReadModels();
  const log = memoryLog();
  await recordRaw(
    log,
    'user-usr_o' as StreamName,
    eventOf({
      type: 'Registered',
      data: { userId: 'usr_o' as UserId, email: 'o@example.com', displayName: 'o', role: 'user', group: 'default' },
    }),
  );
  for (let n = 0; n < keys; n++) await issue(log, n);
  await projectAll({ feed: log, database, projections: HELD });
  return { log, database };
};

/** A database that tells of queries for one row, and may hold their answers back. */
const watched = (database: ReadModelDatabase): ReadModelDatabase & { queries: number; documents: number; answer: Promise<void> } => {
  const watching = {
    queries: 0,
    documents: 0,
    answer: Promise.resolve(),
    query: (async (text: string, values?: readonly unknown[]) => {
      if (text.includes('LEFT JOIN')) watching.queries++;
      const answer = await database.query(text, values);
      await watching.answer;
      return answer;
    }) as Sql['query'],
    transaction: ((work, options) =>
      database.transaction(async (tx) => {
        const query = (async (text: string, values?: readonly unknown[]) => {
          const answer = await tx.query(text, values);
          if (/SELECT key, position, doc FROM rm_token/.test(text)) watching.documents += answer.rows.length;
          return answer;
        }) as Sql['query'];
        return work({ query });
      }, options)) as ReadModelDatabase['transaction'],
    lead: (signal: AbortSignal) => database.lead(signal),
  };
  return watching;
};

describe('a directory that holds a part of the keys', function () {
  this.timeout(120_000);
  afterEach(async () => {
    await Promise.all(started.splice(0).map(({ stop }) => stop()));
  });

  it('knows what one that holds them all knows, whatever the cache says and however far behind the rows are', async () => {
    const { database } = await emptyReadModels();
    await fc.assert(
      fc.asyncProperty(
        histories({ minSteps: 40, maxSteps: 100 }),
        fc.integer({ min: 20, max: 100 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        async (history, share, chances) => {
          await database.transaction(dropReadModels);
          const appends = appendsOf(history);
          const cut = Math.floor((appends.length * share) / 100);
          const hashes = (steps: typeof history): KeyHash[] =>
            steps.flatMap(({ events }) => events.flatMap((event) => (event.type === 'TokenIssued' ? [event.data.keyHash] : [])));
          const cache = new StubbornCache(() => chances.next().value as number);
          const log = memoryLog({ batchSize: 3 });
          await log.append(appends.slice(0, cut));
          await projectAll({ feed: log, database, projections: HELD });

          const whole = await start(log, {});
          const bounded = await start(log, { database, cache, most: 2 });
          const compare = async (of: readonly KeyHash[]): Promise<void> => {
            await Promise.all([whole.seen(log), bounded.seen(log)]);
            for (const keyHash of of) {
              const expected = await entryOf(whole.directory, keyHash);
              expect(await entryOf(bounded.directory, keyHash)).to.deep.equal(expected);
            }
          };
          const before = hashes(history.slice(0, cut));
          await compare(before);
          await log.append(appends.slice(cut));
          await compare(before);
          await projectAll({ feed: log, database, projections: HELD });
          await compare(hashes(history));
          expect(bounded.directory.held.tokens).to.be.at.most(2);
          const second = await start(log, { database, cache, most: 3 });
          for (const keyHash of hashes(history))
            expect(await entryOf(second.directory, keyHash)).to.deep.equal(await entryOf(whole.directory, keyHash));
          await Promise.all([whole.stop(), bounded.stop(), second.stop()]);
        },
      ),
      { numRuns: 3, endOnFailure: true },
    );
  });

  it('asks nobody while everything fits', async () => {
    const { log, database } = await installation(5);
    const running = await start(log, { database, most: 5 });
    expect(running.directory.lookUp(hashOf(77))).to.equal(null);
    await issue(log, 5);
    await running.seen(log);
    expect(running.directory.complete).to.equal(false);
    expect(running.directory.held.tokens).to.equal(5);
    await running.stop();
  });

  it('keeps those that are used', async () => {
    const { log, database } = await installation(4);
    const running = await start(log, { database, most: 4 });
    for (let n = 4; n < 20; n++) {
      running.directory.tokenByHash(hashOf(1));
      await issue(log, n);
      await running.seen(log);
    }
    expect(running.directory.tokenByHash(hashOf(1))).to.include({ name: 'key 1' });
    expect(running.directory.tokenByHash(hashOf(2))).to.equal(undefined);
    await running.stop();
  });

  it('revokes a key that is looked up at this moment', async () => {
    const { log, database } = await installation(6);
    const slow = watched(database);
    const running = await start(log, { database: slow, most: 2 });
    let release: () => void = () => undefined;
    slow.answer = new Promise((resolve) => {
      release = resolve;
    });
    const found = entryOf(running.directory, hashOf(0));
    await revoke(log, 0);
    await running.seen(log);
    release();
    expect(await found).to.include({ tokenId: tokenIdOf(0), revoked: true });
    expect(running.outcomes).to.include('token log');
    await running.stop();
  });

  it('asks once for all who wait, and once for a key that does not exist', async () => {
    const { log, database } = await installation(6);
    const counted = watched(database);
    const running = await start(log, { database: counted, most: 2 });
    await Promise.all(Array.from({ length: 40 }, () => entryOf(running.directory, hashOf(0))));
    expect(counted.queries).to.equal(1);
    for (let times = 0; times < 5; times++) expect(await entryOf(running.directory, hashOf(40))).to.equal(undefined);
    expect(counted.queries).to.equal(2);
    await issue(log, 40);
    await running.seen(log);
    expect(await entryOf(running.directory, hashOf(40))).to.include({ name: 'key 40' });
    await running.stop();
  });

  it('says that it cannot say while nobody can, and knows those in memory', async () => {
    const { log, database } = await installation(6);
    const gone = watched(database);
    const running = await start(log, { database: gone, most: 2 });
    gone.query = async () => {
      throw new ReadModelsUnavailable('gone');
    };
    expect(await entryOf(running.directory, hashOf(0))).to.equal('unavailable');
    expect(await entryOf(running.directory, hashOf(5))).to.include({ name: 'key 5' });
    await running.stop();
  });

  it('begins with the keys that were used last, and spares the rows what the cache has of them', async () => {
    const { log, database } = await installation(12);
    const cache = new StubbornCache(() => 0);
    const first = await start(log, { database, cache, most: 4 });
    for (const n of [1, 3, 5]) await entryOf(first.directory, hashOf(n));
    await first.directory.shareUse();
    await first.stop();
    expect([...cache.recent].sort()).to.deep.equal([1, 3, 5].map(tokenIdOf));

    const cold = watched(database);
    const warm = watched(database);
    await (await start(log, { database: cold, most: 4 })).stop();
    const second = await start(log, { database: warm, cache, most: 4 });
    expect(cold.documents).to.equal(4);
    expect(warm.documents).to.equal(1);
    for (const n of [1, 3, 5]) expect(second.directory.tokenByHash(hashOf(n))).to.include({ name: `key ${n}` });
    await second.stop();
  });

  it('believes no copy from before what it remembers', () => {
    const at = (n: number): Position => BigInt(n) as Position;
    const changes = new RecentChanges(2);
    changes.reset(at(10));
    expect(changes.isCurrent('a', at(3), at(10))).to.equal(true);
    expect(changes.isCurrent('a', at(3), at(9))).to.equal(false);
    changes.note('a', at(11));
    expect(changes.isCurrent('a', at(3), at(20))).to.equal(false);
    expect(changes.isCurrent('a', at(11), at(11))).to.equal(true);
    changes.note('b', at(12));
    changes.note('c', at(13));
    expect(changes.isCurrent('a', at(3), at(10))).to.equal(false);
    expect(changes.isCurrent('a', at(11), at(11))).to.equal(true);
    expect(changes.isCurrent('d', at(1), at(11))).to.equal(true);
  });
});
