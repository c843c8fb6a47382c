import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { amcheck } from '@electric-sql/pglite/contrib/amcheck';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { damageInside } from './damage-inside.ts';
import { joiningMessages } from './joined-messages.ts';
import type { FromWorker, ToWorker, WorkerTask } from './worker-messages.ts';

const task = workerData as WorkerTask;
const port = parentPort;
if (port === null) throw new Error('to be run as a worker thread');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const tell = (message: FromWorker): void => port.postMessage(message);

/**
 * For one connection and disposable data: the usual buffers would cost 150 MB of memory, and the usual log a gigabyte of
 * disk.
 */
const SETTINGS = ['shared_buffers = 16MB', 'max_wal_size = 64MB', 'min_wal_size = 32MB'];

const create = async (): Promise<void> => {
  const database = await PGlite.create({ dataDir: task.dataFolder });
  await database.close();
  appendFileSync(join(task.dataFolder, 'postgresql.conf'), `\n${SETTINGS.join('\n')}\n`);
};

const serve = async (socket: string, check: boolean): Promise<void> => {
  const database = await PGlite.create({ dataDir: task.dataFolder, extensions: check ? { amcheck, vector } : { vector } });
  if (check) {
    const damage = await damageInside(database);
    if (damage !== null) {
      tell({ kind: 'damaged', reason: damage });
      await database.close();
      return;
    }
  }
  const run = database.execProtocolRawStream.bind(database);
  database.execProtocolRawStream = joiningMessages(async (messages, options: Parameters<typeof run>[1]) => {
    try {
      await run(messages, options);
    } catch (error) {
      // A statement that fails answers so; what throws is the engine itself, after which the server's queue stands still for ever.
      tell({ kind: 'failed', reason: messageOf(error) });
      process.exit(1);
    }
  });
  const server = new PGLiteSocketServer({ db: database, path: socket, maxConnections: 4 });
  await server.start();
  port.on('message', (message: ToWorker) => {
    if (message.kind !== 'close') return;
    void (async () => {
      await server.stop();
      await database.close();
      tell({ kind: 'closed' });
      port.close();
    })();
  });
  tell({ kind: 'ready' });
};

try {
  if (task.kind === 'create') {
    await create();
    tell({ kind: 'ready' });
  } else {
    await serve(task.socket, task.check);
  }
} catch (error) {
  tell({ kind: 'failed', reason: messageOf(error) });
  process.exit(1);
}
