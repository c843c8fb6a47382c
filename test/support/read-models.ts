import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder } from '../../infra/read-models/pglite/data-marker.ts';
import { openReadModels, type ReadModels } from '../../infra/read-models/read-models.ts';
import { WORK_SCHEMA } from '../../infra/workers/work-schema.ts';
import { dropReadModels } from '../../projections/engine/engine-schema.ts';
import { testDatabase, type TestDatabaseOptions } from './postgres.ts';
import { onTeardown } from './teardown.ts';

const scratch = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'oblivious-test-read-models-'));
  onTeardown(async () => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

let pristine: Promise<string> | undefined;

/** An embedded data directory as it is when just made; making one takes seconds, copying it does not. */
export const pristineData = (): Promise<string> => {
  pristine ??= (async () => {
    const directory = scratch();
    const made = await openReadModels({ kind: 'pglite', directory });
    await made.close();
    return dataFolder(directory);
  })();
  return pristine;
};

/** A directory of this test's own, for embedded read models that it opens, closes and breaks by itself. */
export const readModelDirectory = (): string => {
  const directory = join(scratch(), 'read-models');
  mkdirSync(directory, { mode: 0o700 });
  return directory;
};

let embedded: Promise<ReadModels> | undefined;

/** The run's one embedded database, emptied: for one test at a time. */
const emptyPglite = async (): Promise<ReadModels> => {
  embedded ??= (async () => {
    const models = await openReadModels({ kind: 'pglite', directory: readModelDirectory(), pristine: await pristineData() });
    onTeardown(() => models.close());
    return models;
  })();
  const models = await embedded;
  await models.database.transaction(dropReadModels);
  await models.database.query(`DROP SCHEMA IF EXISTS ${WORK_SCHEMA} CASCADE`);
  return { ...models, close: async () => undefined };
};

const emptyPostgres = async (options: TestDatabaseOptions = {}): Promise<ReadModels> => {
  const { url, drop } = await testDatabase(options);
  const models = await openReadModels({ kind: 'postgres', connectionString: url });
  return {
    ...models,
    close: async () => {
      await models.close();
      await drop();
    },
  };
};

/** Both kinds of database that read models live in; whatever holds for one has to hold for the other. */
export const DATABASES = [
  { name: 'PGlite', open: emptyPglite },
  { name: 'PostgreSQL', open: () => emptyPostgres() },
] as const;

/** Likewise, where vectors are searched in; pgvector is built where the machine lacks it. */
export const VECTOR_DATABASES = [
  { name: 'PGlite', open: emptyPglite },
  { name: 'PostgreSQL', open: () => emptyPostgres({ extensions: ['vector'] }) },
] as const;

/** The quicker of the two, for what does not depend on it. */
export const emptyReadModels = emptyPglite;
