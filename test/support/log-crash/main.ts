import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { createAppendQueue } from '../../../commands/append-queue.ts';
import type { AppendQueue } from '../../../commands/append-queue.ts';
import { LogUnavailable } from '../../../commands/log-unavailable.ts';
import type { EventLog } from '../../../commands/ports/event-log.ts';
import { openPostgresLog } from '../../../infra/event-log/postgres/open-postgres-log.ts';
import { openSqliteLog } from '../../../infra/event-log/sqlite/open-sqlite-log.ts';
import type { NewEvent } from '../../../schemas/event-envelope.ts';
import type { CommandId, EventId, StreamName } from '../../../schemas/ids.ts';

/**
 * A process that appends as fast as it can until it is killed: `main (sqlite FILE | postgres URL) CALLERS`. It waits for a line on its
 * input, so that it can be started ahead. For every append it has been told is durable it writes a line `stream revision position ids…`.
 * Each event says in its data which revision it was meant for.
 */
const [adapter, place, callers] = process.argv.slice(2) as [string, string, string];

const open = (): Promise<EventLog> =>
  adapter === 'sqlite' ? openSqliteLog({ file: place }) : openPostgresLog({ connectionString: place, statementTimeoutMs: 5_000 });

const openSurely = async (): Promise<EventLog> => {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      // The server is being restarted; anything else is for the test to see.
      if (adapter === 'sqlite') throw error;
      await pause(20);
    }
  }
};

const say = (line: string): void => {
  const bytes = Buffer.from(`${line}\n`);
  for (let sent = 0; sent < bytes.length;) {
    try {
      sent += writeSync(1, bytes, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
};

const newEvent = (revision: number): NewEvent => {
  const eventId = randomUUID() as EventId;
  return {
    eventId,
    type: 'QuotaDebited',
    schemaVersion: 1,
    data: { revision, filler: 'x'.repeat((revision * 37) % 400) },
    metadata: {
      correlationId: eventId,
      causationId: eventId,
      commandId: `crash:${eventId}` as CommandId,
      actor: { kind: 'system', id: 'crash' },
      tenant: 'platform',
      occurredAt: '2026-01-02T03:04:05.678Z',
    },
  };
};

const endOf = async (log: EventLog, stream: StreamName): Promise<number> => {
  for (;;) {
    try {
      for await (const { revision } of log.readStream(stream, { direction: 'backwards', limit: 1 })) return revision;
      return -1;
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
    }
  }
};

const appendForEver = async (log: EventLog, queue: AppendQueue, stream: StreamName): Promise<never> => {
  let end = await endOf(log, stream);
  for (;;) {
    const events = Array.from({ length: 1 + (end % 3 === 0 ? 2 : 0) }, (_, i) => newEvent(end + 1 + i));
    const outcome = await queue.append({ stream, expectedRevision: end < 0 ? 'no_stream' : end, events });
    switch (outcome.outcome) {
      case 'appended':
        end = outcome.revision;
        say(`${stream} ${outcome.revision} ${outcome.position} ${events.map(({ eventId }) => eventId).join(' ')}`);
        break;
      case 'conflict':
        // What a writer killed before us had under way was still written after we looked.
        end = outcome.actual === 'no_stream' ? -1 : outcome.actual;
        break;
      default:
        throw new Error(`An append ended as ${JSON.stringify(outcome)}.`);
    }
  }
};

process.stdin.once('data', () => {
  void (async () => {
    const log = await openSurely();
    const queue = createAppendQueue(log, { resendMs: 60_000 });
    await Promise.all(Array.from({ length: Number(callers) }, (_, i) => appendForEver(log, queue, `crash-${i}` as StreamName)));
  })();
});
say('ready');
