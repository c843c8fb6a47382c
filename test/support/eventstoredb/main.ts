import { parseArgs } from 'node:util';
import { MemoryStore } from './memory-store.ts';
import { openRecordFile } from './record-file.ts';
import { startEventStoreServer } from './server.ts';

/**
 * The event store of the tests as a process of its own: `node --import tsx test/support/eventstoredb/main.ts --port 12113`. Prints its
 * connection string as one line once it listens; its events are gone when it ends, unless `--data` names a file for them. With
 * `--until-input-ends` it does not outlive its test.
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, data: { type: 'string' }, 'until-input-ends': { type: 'boolean', default: false } },
});

const cannotWrite = (error: unknown): never => {
  process.stderr.write(`the event store of the tests ends, since it cannot write: ${String(error)}\n`);
  process.exit(1);
};

const server = await startEventStoreServer({
  port: Number(values.port),
  store: new MemoryStore(values.data === undefined ? undefined : openRecordFile(values.data, cannotWrite)),
});
process.stdout.write(`${server.connectionString}\n`);

const end = (): void => void server.close().then(() => process.exit(0));
process.once('SIGTERM', end);
process.once('SIGINT', end);
if (values['until-input-ends']) process.stdin.resume().once('end', end).once('error', end);
