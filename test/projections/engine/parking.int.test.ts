import { expect } from 'chai';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { compareProjection, rebuildProjection } from '../../../projections/engine/rebuild.ts';
import { PoisonEvent } from '../../../projections/engine/batch.ts';
import { readParked } from '../../../projections/engine/parked-events.ts';
import { discardParked, retryParked } from '../../../projections/engine/parking.ts';
import type { Sql } from '../../../projections/ports/read-model-database.ts';
import type { EventId, StreamName } from '../../../schemas/ids.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { startProjecting, wallClock, type Projecting } from '../../support/projecting.ts';
import { DATABASES } from '../../support/read-models.ts';
import { eventOf, POISON, recordName, recordRaw, toyCounts, toyCountTable, toyNames, toyNameTable } from '../../support/toy-projections.ts';

const namesIn = async (sql: Sql): Promise<Record<string, string[]>> => {
  const { rows } = await sql.query<{ key: string; doc: { names: string[] } }>(`SELECT key, doc FROM ${toyNameTable} ORDER BY key`);
  return Object.fromEntries(rows.map(({ key, doc }) => [key, doc.names]));
};

const countsIn = async (sql: Sql): Promise<Record<string, number>> => {
  const { rows } = await sql.query<{ id: string; events: number }>(`SELECT user_id AS id, events FROM ${toyCountTable} ORDER BY user_id`);
  return Object.fromEntries(rows.map(({ id, events }) => [id, events]));
};

for (const { name, open } of DATABASES) {
  describe(`events that cannot be applied, on ${name}`, function () {
    this.timeout(120_000);
    let models: ReadModels;
    let log: MemoryLog;
    let health: { ill: boolean };
    let names: ReturnType<typeof toyNames>;
    let projecting: Projecting;

    beforeEach(async () => {
      models = await open();
      log = memoryLog();
      health = { ill: true };
      names = toyNames(health);
      projecting = startProjecting({ feed: log, database: models.database, projections: [names, toyCounts] });
    });
    afterEach(async () => {
      await projecting.stop();
      await models.close();
    });

    const record = async (...entries: readonly (readonly [string, string])[]): Promise<void> => {
      for (const [user, display] of entries) await recordName(log, user, display);
      await projecting.caughtUp();
    };

    it('are parked with what follows in their stream, while other streams and other projections go on', async () => {
      await record(['usr_a', 'one'], ['usr_b', 'one'], ['usr_b', POISON], ['usr_a', 'two'], ['usr_b', 'three']);
      await record(['usr_b', 'four'], ['usr_a', 'five']);
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one', 'two', 'five'], usr_b: ['one'] });
      expect(await countsIn(models.database)).to.deep.equal({ usr_a: 3, usr_b: 4 });
      const parked = await readParked(models.database);
      expect(
        parked.map(({ projection, stream, waiting, event }) => [projection, stream, waiting, event.data['displayName']]),
      ).to.deep.equal([
        ['toy-names', 'user-usr_b', false, POISON],
        ['toy-names', 'user-usr_b', true, 'three'],
        ['toy-names', 'user-usr_b', true, 'four'],
      ]);
      expect(parked[0]).to.include({ type: 'ProfileChanged', error: 'cannot stand it', attempts: 1 });
      expect((await readParked(models.database, { poisonOnly: true })).length).to.equal(1);
    });

    it('are applied in order once they can be, and the stream goes on by itself', async () => {
      await record(['usr_b', 'one'], ['usr_b', POISON], ['usr_b', 'three']);
      expect(await retryParked(models.database.transaction, names, 'user-usr_b')).to.deep.equal({
        applied: 0,
        remaining: 2,
        error: 'cannot stand it',
      });
      expect((await readParked(models.database, { poisonOnly: true })).map(({ attempts }) => attempts)).to.deep.equal([2]);
      health.ill = false;
      expect(await retryParked(models.database.transaction, names, 'user-usr_b')).to.deep.equal({ applied: 2, remaining: 0, error: null });
      await record(['usr_b', 'four']);
      expect(await namesIn(models.database)).to.deep.equal({ usr_b: ['one', POISON, 'three', 'four'] });
      expect(await readParked(models.database)).to.deep.equal([]);
      expect(projecting.reports.filter(({ kind }) => kind === 'interrupted')).to.deep.equal([]);
    });

    it('can be given up, and what waits behind goes on', async () => {
      await record(['usr_b', 'one'], ['usr_b', POISON], ['usr_b', 'three'], ['usr_b', POISON], ['usr_b', 'five']);
      const [first] = await readParked(models.database, { poisonOnly: true });
      if (first === undefined) throw new Error('nothing is parked');
      expect(await discardParked(models.database.transaction, names, first)).to.deep.equal({
        applied: 1,
        remaining: 2,
        error: 'cannot stand it',
      });
      await record(['usr_b', 'six']);
      expect(await namesIn(models.database)).to.deep.equal({ usr_b: ['one', 'three'] });
      const [second] = await readParked(models.database, { poisonOnly: true });
      if (second === undefined) throw new Error('nothing is parked');
      expect(await discardParked(models.database.transaction, names, second)).to.deep.equal({ applied: 2, remaining: 0, error: null });
      expect(await namesIn(models.database)).to.deep.equal({ usr_b: ['one', 'three', 'five', 'six'] });
    });

    it('are found when a statement breaks a constraint, whatever else is in the batch', async () => {
      await record(['usr_a', 'one'], ['usr_b', 'far too long'], ['usr_a', 'two'], ['usr_b', 'three']);
      expect(await countsIn(models.database)).to.deep.equal({ usr_a: 2 });
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one', 'two'], usr_b: ['far too long', 'three'] });
      expect((await readParked(models.database)).map(({ projection, waiting }) => [projection, waiting])).to.deep.equal([
        ['toy-counts', false],
        ['toy-counts', true],
      ]);
    });

    it('are found when they cannot be decoded, and types that nobody knows are passed over', async () => {
      await record(['usr_a', 'one']);
      const stream = 'user-usr_a' as StreamName;
      const sound = eventOf({ type: 'ProfileChanged', data: { userId: 'usr_a' as never, email: 'a@example.com', displayName: 'two' } });
      await recordRaw(log, stream, { ...sound, type: 'SomethingNew', eventId: 'f0000000-0000-4000-8000-000000000001' as EventId });
      await recordRaw(log, stream, { ...sound, data: { nonsense: true }, eventId: 'f0000000-0000-4000-8000-000000000002' as EventId });
      await recordRaw(log, stream, { ...sound, schemaVersion: 99, eventId: 'f0000000-0000-4000-8000-000000000003' as EventId });
      await recordName(log, 'usr_b', 'one');
      await projecting.caughtUp();
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one'], usr_b: ['one'] });
      expect((await readParked(models.database)).map(({ projection, waiting }) => [projection, waiting])).to.have.deep.members([
        ['toy-names', false],
        ['toy-names', true],
        ['toy-counts', false],
        ['toy-counts', true],
      ]);
    });

    it('are not those whose texts a database does not hold: they are applied as near as it can hold them', async () => {
      await record(['usr_a', 'a\0b'], ['usr_a', 'x\ud800'], ['usr_b', 'one']);
      expect(await readParked(models.database)).to.deep.equal([]);
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['a\ufffdb', 'x\ufffd'], usr_b: ['one'] });
      expect(await countsIn(models.database)).to.deep.equal({ usr_a: 2, usr_b: 1 });
      const options = { feed: log, database: models.database, board: projecting.board, clock: wallClock, owner: 'test' };
      for (const projection of [names, toyCounts]) expect((await compareProjection({ ...options, projection })).equal).to.equal(true);
    });

    it('are parked whatever is in them, and whatever their error says', async () => {
      await record(['usr_b', 'one'], ['usr_b', POISON], ['usr_b', 'a\0\ud800'], ['usr_a', 'one']);
      const stream = 'user-usr_c' as StreamName;
      const sound = eventOf({ type: 'ProfileChanged', data: { userId: 'usr_c' as never, email: 'c@example.com', displayName: 'c' } });
      await recordRaw(log, stream, {
        ...sound,
        data: { '\0\udfff': '\ud800' },
        eventId: 'f0000000-0000-4000-8000-000000000004' as EventId,
      });
      await projecting.caughtUp();
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one'], usr_b: ['one'] });
      const parked = await readParked(models.database, { projection: 'toy-names' });
      expect(parked.map(({ event }) => event.data['displayName'] ?? event.data)).to.deep.equal([
        POISON,
        'a\ufffd\ufffd',
        { '\ufffd\ufffd': '\ufffd' },
      ]);
      expect(projecting.reports.filter(({ kind }) => kind === 'interrupted')).to.deep.equal([]);
    });

    it('stop a rebuild, which leaves the live read model as it was', async () => {
      await record(['usr_a', 'one'], ['usr_b', POISON], ['usr_a', 'two']);
      const options = { feed: log, database: models.database, projection: names, board: projecting.board, clock: wallClock, owner: 'test' };
      for (const run of [rebuildProjection, compareProjection]) {
        const failure: unknown = await run(options).then(
          () => null,
          (error: unknown) => error,
        );
        expect(failure).to.be.instanceOf(PoisonEvent);
        expect((failure as PoisonEvent).event).to.deep.include({ stream: 'user-usr_b', type: 'Registered' });
      }
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one', 'two'] });
      health.ill = false;
      const { equal } = await rebuildProjection(options);
      expect(equal).to.equal(false);
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one', 'two'], usr_b: [POISON] });
      expect(await readParked(models.database, { projection: 'toy-names' })).to.deep.equal([]);
      await record(['usr_b', 'three']);
      expect(await namesIn(models.database)).to.deep.equal({ usr_a: ['one', 'two'], usr_b: [POISON, 'three'] });
    });
  });
}
