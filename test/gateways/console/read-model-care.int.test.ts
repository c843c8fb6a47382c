import { expect } from 'chai';
import { readModelCare } from '../../../gateways/console/read-model-care.ts';
import type { ReadModelCare } from '../../../gateways/ports/read-model-care.ts';
import type { ReadModels } from '../../../infra/read-models/read-models.ts';
import { ParkedPage, ProjectionCompared, ProjectionList } from '../../../schemas/http/projections.ts';
import { memoryLog, type MemoryLog } from '../../support/memory-log.ts';
import { startProjecting, wallClock, type Projecting } from '../../support/projecting.ts';
import { emptyReadModels } from '../../support/read-models.ts';
import { done, refused } from '../../support/refused.ts';
import { POISON, recordName, toyCounts, toyNames } from '../../support/toy-projections.ts';
import { answered, walk } from './reads/on-shop.ts';

describe('care for read models', function () {
  this.timeout(60_000);
  let models: ReadModels;
  let log: MemoryLog;
  let health: { ill: boolean };
  let projecting: Projecting;
  let care: ReadModelCare;
  let stopping: AbortController;
  let failures: string[];

  beforeEach(async () => {
    models = await emptyReadModels();
    log = memoryLog();
    health = { ill: true };
    stopping = new AbortController();
    failures = [];
    const projections = [toyNames(health), toyCounts];
    projecting = startProjecting({ feed: log, database: models.database, projections });
    care = readModelCare({
      feed: log,
      database: models.database,
      projections,
      board: projecting.board,
      clock: wallClock,
      owner: 'test',
      stopping: stopping.signal,
      failed: (name) => void failures.push(name),
    });
  });
  afterEach(async () => {
    await projecting.stop();
    await models.close();
  });

  const record = async (...entries: readonly (readonly [string, string])[]): Promise<void> => {
    for (const [user, display] of entries) await recordName(log, user, display);
    await projecting.caughtUp();
  };

  const parked = (projection?: string, limit = 50) =>
    walk(limit, async (page) => answered(ParkedPage, await care.parked({ projection }, page)));

  const TWO_STREAMS = [
    ['usr_a', 'one'],
    ['usr_b', 'one'],
    ['usr_a', POISON],
    ['usr_b', POISON],
    ['usr_a', 'three'],
    ['usr_b', 'three'],
  ] as const;

  it('tells how far each is, and how much of it is parked', async () => {
    await record(...TWO_STREAMS);
    const { rows } = answered(ProjectionList, await care.status());
    const head = (await log.head()).toString();
    expect(rows.map(({ name, parked: count, state, head: end, rebuild }) => [name, count, state, end, rebuild])).to.deep.equal([
      ['toy-names', 4, 'live', head, null],
      ['toy-counts', 0, 'live', head, null],
    ]);
  });

  it('lists what is parked once each, by pages of any length and by read model', async () => {
    await record(...TWO_STREAMS);
    for (const limit of [1, 2, 3, 4, 5])
      expect((await parked(undefined, limit)).map(({ stream, waiting }) => [stream, waiting])).to.deep.equal([
        ['user-usr_a', false],
        ['user-usr_b', false],
        ['user-usr_a', true],
        ['user-usr_b', true],
      ]);
    expect((await parked('toy-names')).length).to.equal(4);
    expect(await parked('toy-counts')).to.deep.equal([]);
    expect(await parked('nothing')).to.deep.equal([]);
  });

  it('tries again what is parked, and says what still cannot be applied', async () => {
    await record(...TWO_STREAMS);
    const [first] = await parked();
    const parkedId = first?.parkedId ?? '';
    const refusal = refused(await care.retryParked(parkedId));
    expect(refusal.refused).to.equal('wrong_state');
    expect(refusal.message).to.include('cannot stand it');
    health.ill = false;
    expect(await care.retryParked(parkedId)).to.equal(null);
    expect((await parked()).map(({ stream }) => stream)).to.deep.equal(['user-usr_b', 'user-usr_b']);
    expect(refused(await care.retryParked(parkedId)).refused).to.equal('not_found');
  });

  it('gives up an event that is poison, and none that only waits behind it', async () => {
    await record(...TWO_STREAMS);
    const [first, , waiting] = await parked();
    expect(refused(await care.discardParked(waiting?.parkedId ?? '')).refused).to.equal('wrong_state');
    expect((await parked()).length).to.equal(4);
    expect(await care.discardParked(first?.parkedId ?? '')).to.equal(null);
    expect((await parked()).map(({ stream }) => stream)).to.deep.equal(['user-usr_b', 'user-usr_b']);
  });

  it('finds nothing under ids that nobody gave', async () => {
    for (const id of ['', '0', '-1', 'x', '9'.repeat(30)]) {
      expect(refused(await care.retryParked(id)).refused).to.equal('not_found');
      expect(refused(await care.discardParked(id)).refused).to.equal('not_found');
    }
    expect(refused(await care.rebuild('nothing')).refused).to.equal('not_found');
    expect(refused(await care.compare('nothing')).refused).to.equal('not_found');
  });

  it('compares with what the events make, and refuses where they cannot be applied', async () => {
    await record(...TWO_STREAMS);
    const compared = answered(ProjectionCompared, done(await care.compare('toy-counts')));
    expect(compared).to.include({ equal: true, rows: 2, position: (await log.head()).toString() });
    const refusal = refused(await care.compare('toy-names'));
    expect(refusal.refused).to.equal('wrong_state');
    expect(refusal.message).to.include('ProfileChanged');
  });

  it('works on one read model at a time', async () => {
    await record(...TWO_STREAMS);
    const rebuilding = care.rebuild('toy-counts');
    expect(refused(await care.compare('toy-names')).refused).to.equal('wrong_state');
    expect(refused(await care.rebuild('toy-counts')).refused).to.equal('wrong_state');
    expect(done(await rebuilding)).to.deep.equal({ name: 'toy-counts', version: 1 });
    const rebuilt = async () => (await care.status()).rows.find(({ name }) => name === 'toy-counts')?.lastRebuild ?? null;
    let last = await rebuilt();
    while (last === null) last = await rebuilt();
    expect(last.failure).to.equal(null);
    const compared = care.compare('toy-counts');
    expect(refused(await care.rebuild('toy-counts')).refused).to.equal('wrong_state');
    expect(done(await compared).equal).to.equal(true);
  });

  it('stops with the server, and leaves the live read model as it is', async () => {
    await record(...TWO_STREAMS);
    stopping.abort();
    expect(refused(await care.compare('toy-counts')).refused).to.equal('shutting_down');
    expect(failures).to.deep.equal([]);
  });
});
