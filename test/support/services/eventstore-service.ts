import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEventStoreLog } from '../../../infra/event-log/eventstoredb/open-eventstore-log.ts';
import type { Place, Service } from './service.ts';

export const eventStoreUrl = ({ ports }: Place): string => `esdb://127.0.0.1:${String(ports[0])}?tls=false`;

/** The event store of the tests, which speaks EventStoreDB's protocol and keeps its events in a file. */
export const eventStoreService: Service = {
  name: 'eventstore',
  title: 'event store',
  ports: [{ variable: 'SERVICES_EVENTSTORE_PORT', usual: 12_113 }],
  stopSignal: 'SIGTERM',
  prepare: ({ folder, ports }) => ({
    file: process.execPath,
    // Where its loader is found.
    cwd: import.meta.dirname,
    args: [
      ...['--import', 'tsx', fileURLToPath(new URL('../eventstoredb/main.ts', import.meta.url))],
      ...['--port', String(ports[0]), '--data', join(folder, 'records.jsonl')],
    ],
  }),
  check: async (place) => {
    const log = await openEventStoreLog({ connectionString: eventStoreUrl(place) });
    await log.head().finally(() => log.close());
  },
};
