import { expect } from 'chai';
import { cpSync, openSync, closeSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder, inspectData, markClosed } from '../../../../infra/read-models/pglite/data-marker.ts';
import type { PgliteReport } from '../../../../infra/read-models/pglite/pglite-host.ts';
import { ReadModelsUnavailable } from '../../../../projections/engine/read-models-unavailable.ts';
import { openReadModels, type ReadModels } from '../../../../infra/read-models/read-models.ts';
import { digestOf } from '../../../../projections/engine/digest.ts';
import { LIVE_SCHEMA } from '../../../../projections/engine/engine-schema.ts';
import { entryTable } from '../../../../projections/journal/tables.ts';
import { projections } from '../../../../projections/registry.ts';
import { appendsOf, longHistory } from '../../../support/histories.ts';
import { memoryLog } from '../../../support/memory-log.ts';
import { startProjecting } from '../../../support/projecting.ts';
import { pristineData, readModelDirectory } from '../../../support/read-models.ts';

const digests = ({ database }: ReadModels): Promise<readonly string[]> =>
  database.transaction(async (tx) => {
    const all: string[] = [];
    for (const projection of projections) all.push((await digestOf(tx, LIVE_SCHEMA, projection)).digest);
    return all;
  });

const open = async (directory: string): Promise<{ readonly models: ReadModels; readonly reports: PgliteReport[] }> => {
  const reports: PgliteReport[] = [];
  return {
    models: await openReadModels({ kind: 'pglite', directory, pristine: await pristineData(), report: (report) => reports.push(report) }),
    reports,
  };
};

/** Bytes in the middle of a file, all turned round, without a trace in its size. */
const flip = (file: string): void => {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  for (let offset = 0; offset < 64 && at + offset < bytes.length; offset++) bytes[at + offset] = ~(bytes[at + offset] ?? 0) & 0xff;
  const fd = openSync(file, 'r+');
  writeSync(fd, bytes, at, 64, at);
  closeSync(fd);
};

describe('damaged embedded read models', function () {
  this.timeout(120_000);

  const log = memoryLog();
  let sound: string;
  let expected: readonly string[];
  /** Files of the journal's table and of its primary key, relative to the data. */
  let tableFile: string;
  let indexFile: string;

  before(async () => {
    await log.append(appendsOf(longHistory(150, 3)));
    sound = readModelDirectory();
    const { models } = await open(sound);
    const projecting = startProjecting({ feed: log, database: models.database });
    await projecting.caughtUp();
    await projecting.stop();
    expected = await digests(models);
    const { rows } = await models.database.query<{ table: string; index: string }>(
      `SELECT pg_relation_filepath('${entryTable}') AS "table", pg_relation_filepath('${entryTable}_pkey') AS "index"`,
    );
    tableFile = rows[0]?.table ?? '';
    indexFile = rows[0]?.index ?? '';
    await models.close();
  });

  /** A copy to break, as trustworthy as what it was copied from. */
  const copy = (): string => {
    const directory = readModelDirectory();
    cpSync(sound, directory, { recursive: true });
    markClosed(directory);
    return directory;
  };

  /** Makes the copy look as if its process had been killed, so that only what is inside can tell. */
  const leaveOpen = (directory: string): void => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    writeFileSync(join(directory, 'state.json'), JSON.stringify({ format: 1, state: 'open', boot }));
  };

  const opensSound = async (directory: string): Promise<void> => {
    const { models, reports } = await open(directory);
    try {
      expect(reports).to.deep.equal([]);
      expect(await digests(models)).to.deep.equal(expected);
    } finally {
      await models.close();
    }
  };

  const isRebuilt = async (directory: string, reason: RegExp): Promise<void> => {
    const { models, reports } = await open(directory);
    try {
      expect(reports.map(({ kind }) => kind)).to.deep.equal(['damaged']);
      expect(reports[0]?.reason).to.match(reason);
      const projecting = startProjecting({ feed: log, database: models.database });
      await projecting.caughtUp();
      await projecting.reported('progress');
      await projecting.stop();
      expect(await digests(models)).to.deep.equal(expected);
    } finally {
      await models.close();
    }
  };

  it('are not seen where there is none, neither after a clean stop nor after a kill', async () => {
    await opensSound(copy());
    const killed = copy();
    leaveOpen(killed);
    await opensSound(killed);
  });

  describe('are found after a clean stop, said, and rebuilt from the log:', () => {
    it('a file cut short', async () => {
      const directory = copy();
      truncateSync(join(dataFolder(directory), tableFile), 0);
      await isRebuilt(directory, /bytes instead of/);
      // And what was rebuilt is found sound at the next start.
      await opensSound(directory);
    });

    it('bytes changed in a file', async () => {
      const directory = copy();
      flip(join(dataFolder(directory), tableFile));
      await isRebuilt(directory, /was changed while nobody had it open/);
    });

    it('the control file gone', async () => {
      const directory = copy();
      rmSync(join(dataFolder(directory), 'global', 'pg_control'));
      await isRebuilt(directory, /pg_control is gone/);
    });

    it('the log of the database gone', async () => {
      const directory = copy();
      const folder = join(dataFolder(directory), 'pg_wal');
      for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isFile()) rmSync(join(folder, entry.name));
      await isRebuilt(directory, /pg_wal.* is gone/);
    });

    it('the file of a table gone', async () => {
      const directory = copy();
      rmSync(join(dataFolder(directory), tableFile));
      await isRebuilt(directory, /is gone/);
    });
  });

  it('are not trusted when nothing says how they were left, or when the machine has been started anew since', () => {
    const directory = copy();
    expect(inspectData(directory)).to.deep.equal({ state: 'closed' });
    leaveOpen(directory);
    expect(inspectData(directory)).to.deep.equal({ state: 'open' });
    writeFileSync(join(directory, 'state.json'), JSON.stringify({ format: 1, state: 'open', boot: 'another' }));
    expect(inspectData(directory)).to.deep.equal({ state: 'damaged', reason: 'the machine went down while they were open' });
    rmSync(join(directory, 'state.json'));
    expect(inspectData(directory)).to.deep.equal({ state: 'damaged', reason: 'nothing says in what state they were left' });
    rmSync(dataFolder(directory), { recursive: true });
    expect(inspectData(directory)).to.deep.equal({ state: 'absent' });
  });

  describe('are found after a kill, when no file can be trusted to be as it was:', () => {
    const breaks: readonly (readonly [string, (data: string) => void])[] = [
      ['a table cut short', (data) => truncateSync(join(data, tableFile), 0)],
      ['bytes changed in a table', (data) => flip(join(data, tableFile))],
      ['bytes changed in an index', (data) => flip(join(data, indexFile))],
      ['the file of a table gone', (data) => rmSync(join(data, tableFile))],
    ];
    for (const [what, break_] of breaks) {
      it(what, async () => {
        const directory = copy();
        leaveOpen(directory);
        break_(dataFolder(directory));
        const { models, reports } = await open(directory);
        await models.close();
        expect(reports.map(({ kind }) => kind)).to.deep.equal(['damaged']);
      });
    }
  });

  it('are found while in use, where bytes rot that no file system tells of', async () => {
    const directory = copy();
    flip(join(dataFolder(directory), tableFile));
    markClosed(directory);
    let found: (report: PgliteReport) => void = () => undefined;
    const report = new Promise<PgliteReport>((resolve) => {
      found = resolve;
    });
    const models = await openReadModels({ kind: 'pglite', directory, pristine: await pristineData(), report: found });
    const failure: unknown = await models.database.query(`SELECT count(note) FROM ${entryTable}`).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(ReadModelsUnavailable);
    expect(await report).to.have.property('kind', 'damaged');
    // What waits finds a database that is away, and then one that is empty.
    const projecting = startProjecting({ feed: log, database: models.database });
    try {
      await projecting.reported('state', ({ state }) => state === 'live');
      await projecting.caughtUp();
      expect(await digests(models)).to.deep.equal(expected);
    } finally {
      await projecting.stop();
      await models.close();
    }
  });
});
