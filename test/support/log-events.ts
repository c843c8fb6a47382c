import { randomUUID } from 'node:crypto';
import type { AppendOutcome, EventLog, StreamAppend } from '../../commands/ports/event-log.ts';
import type { ExpectedRevision, JsonObject, LogMessage, NewEvent, RecordedEvent } from '../../schemas/event-envelope.ts';
import { CommandId, EventId, StreamName } from '../../schemas/ids.ts';

/** Events and appends for tests of the log: the bodies say nothing, their identity does. */
export const stream = (name: string): StreamName => StreamName.parse(name);

export interface EventParts {
  readonly eventId?: string;
  readonly type?: string;
  readonly data?: JsonObject;
}

export const newEvent = ({ eventId = randomUUID(), type = 'QuotaReserved', data = {} }: EventParts = {}): NewEvent => ({
  eventId: EventId.parse(eventId),
  type,
  schemaVersion: 1,
  data,
  metadata: {
    correlationId: 'req_1',
    causationId: 'req_1',
    commandId: CommandId.parse(`test:${eventId}`),
    actor: { kind: 'system', id: 'test' },
    tenant: 'platform',
    occurredAt: '2026-01-02T03:04:05.678Z',
  },
});

export const newEvents = (count: number, parts: EventParts = {}): NewEvent[] => Array.from({ length: count }, () => newEvent(parts));

export const appendTo = (name: string, expectedRevision: ExpectedRevision, events: readonly NewEvent[] = [newEvent()]): StreamAppend => ({
  stream: stream(name),
  expectedRevision,
  events,
});

/** Appends one thing and returns its one outcome. */
export const appendOne = async (log: Pick<EventLog, 'append'>, append: StreamAppend): Promise<AppendOutcome> => {
  const outcomes = await log.append([append]);
  if (outcomes.length !== 1) throw new Error(`One append had ${outcomes.length} outcomes.`);
  return outcomes[0] as AppendOutcome;
};

/** Resends an append until its outcome is known, as every appender must. */
export const appendSurely = async (
  log: Pick<EventLog, 'append'>,
  append: StreamAppend,
): Promise<Exclude<AppendOutcome, { outcome: 'unknown' }>> => {
  for (;;) {
    const outcome = await appendOne(log, append);
    if (outcome.outcome !== 'unknown') return outcome;
  }
};

export const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

/** Follows messages until `isEnough`; the caller aborts the signal. */
export const takeUntil = async (
  messages: AsyncIterable<LogMessage>,
  isEnough: (events: readonly RecordedEvent[], last: LogMessage) => boolean,
): Promise<RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const message of messages) {
    if (message.kind === 'events') events.push(...message.events);
    if (isEnough(events, message)) return events;
  }
  return events;
};
