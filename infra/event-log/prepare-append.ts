import type { AppendOutcome, StreamAppend } from '../../commands/ports/event-log.ts';
import type { ExpectedRevision, NewEvent } from '../../schemas/event-envelope.ts';
import { LOG_LIMITS } from '../../schemas/log-limits.ts';

/** An expected revision as a number, so that it travels in one column: revisions as they are, and these. */
export const EXPECTED = { no_stream: -1, stream_exists: -2, any: -3 } as const;

/** An event as it is stored: its id in lower case, its bodies as the JSON text that every reader will parse. */
export interface PreparedEvent {
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: string;
  readonly metadata: string;
}

export interface PreparedAppend {
  readonly stream: string;
  readonly category: string;
  readonly expected: number;
  readonly events: readonly PreparedEvent[];
  /** At least the UTF-8 bytes of all bodies; what batches are cut by. */
  readonly bytes: number;
}

export type Rejection = Extract<AppendOutcome, { outcome: 'rejected' }>;

const MAX_REVISION = 2_147_483_647;
const MAX_SCHEMA_VERSION = 32_767;
/** Metadata is ours, not the user's; more than this is a bug upstream. */
const METADATA_BYTES = 65_536;
/** Longest UTF-8 form of one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

// A lone surrogate or a NUL would come back from a store as something else, or not go in at all.
const STREAM = /^[a-z]+-[^\s\0\p{Surrogate}]+$/u;
const TYPE = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/;
const OPEN_BRACE = 0x7b;

/** Types that were found storable; there are few, and they come with every event. */
const storableTypes = new Set<string>();
const MOST_TYPES = 1_000;

const isStorableType = (type: string): boolean => {
  if (storableTypes.has(type)) return true;
  if (!TYPE.test(type)) return false;
  if (storableTypes.size < MOST_TYPES) storableTypes.add(type);
  return true;
};
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const rejected = (reason: Rejection['reason'], message: string): Rejection => ({ outcome: 'rejected', reason, message });

const expectedNumber = (expected: ExpectedRevision): number | undefined => {
  if (typeof expected === 'string') return EXPECTED[expected];
  return Number.isInteger(expected) && expected >= 0 && expected <= MAX_REVISION ? expected : undefined;
};

/** Exact only where it could matter: most texts are far below the limit however they are encoded. */
const bytesUpTo = (text: string, limit: number): number =>
  text.length * MAX_BYTES_PER_UNIT <= limit ? text.length : Buffer.byteLength(text);

const json = (value: unknown): string | undefined => {
  // What has a `toJSON` of its own may turn out to be anything.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text?.charCodeAt(0) === OPEN_BRACE ? text : undefined;
  } catch {
    return undefined;
  }
};

const prepareEvent = (event: NewEvent): PreparedEvent | Rejection => {
  let { eventId }: { eventId: string } = event;
  if (!UUID.test(eventId)) {
    eventId = eventId.toLowerCase();
    if (!UUID.test(eventId)) return rejected('append_malformed', `The event id ${JSON.stringify(event.eventId)} is not a UUID.`);
  }
  if (!isStorableType(event.type)) return rejected('append_malformed', `The event type ${JSON.stringify(event.type)} cannot be stored.`);
  if (!Number.isInteger(event.schemaVersion) || event.schemaVersion < 1 || event.schemaVersion > MAX_SCHEMA_VERSION) {
    return rejected(
      'append_malformed',
      `Schema version ${event.schemaVersion} of ${event.type} is not a whole number from 1 to ${MAX_SCHEMA_VERSION}.`,
    );
  }
  const data = json(event.data);
  const metadata = json(event.metadata);
  if (data === undefined || metadata === undefined) {
    return rejected('append_malformed', `The ${data === undefined ? 'data' : 'metadata'} of ${event.type} is not a JSON object.`);
  }
  if (bytesUpTo(data, LOG_LIMITS.eventBytes) > LOG_LIMITS.eventBytes) {
    return rejected(
      'event_too_large',
      `The data of ${event.type} has ${Buffer.byteLength(data)} bytes; ${LOG_LIMITS.eventBytes} are allowed.`,
    );
  }
  if (bytesUpTo(metadata, METADATA_BYTES) > METADATA_BYTES) {
    return rejected(
      'event_too_large',
      `The metadata of ${event.type} has ${Buffer.byteLength(metadata)} bytes; ${METADATA_BYTES} are allowed.`,
    );
  }
  return { eventId, type: event.type, schemaVersion: event.schemaVersion, data, metadata };
};

const dataBytes = (events: readonly PreparedEvent[]): number => events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);

/** Checks one append against the log's limits and brings it into the form that is stored; an append that breaks a limit fails no other. */
export const prepareAppend = (append: StreamAppend): PreparedAppend | Rejection => {
  const { stream } = append;
  const count = append.events.length;
  if (count === 0) return rejected('append_empty', `An append to ${stream} without events says nothing.`);
  if (count > LOG_LIMITS.appendEvents) {
    return rejected('append_too_large', `An append to ${stream} has ${count} events; ${LOG_LIMITS.appendEvents} are allowed.`);
  }
  if (stream.length > 200 || !STREAM.test(stream)) {
    return rejected('append_malformed', `The stream name ${JSON.stringify(stream.slice(0, 220))} cannot be stored.`);
  }
  const expected = expectedNumber(append.expectedRevision);
  if (expected === undefined) return rejected('append_malformed', `No stream can be at revision ${append.expectedRevision}.`);

  const events: PreparedEvent[] = [];
  let units = 0;
  let metadataUnits = 0;
  for (const event of append.events) {
    const prepared = prepareEvent(event);
    if ('outcome' in prepared) return prepared;
    events.push(prepared);
    units += prepared.data.length;
    metadataUnits += prepared.metadata.length;
  }
  if (units * MAX_BYTES_PER_UNIT > LOG_LIMITS.appendBytes && dataBytes(events) > LOG_LIMITS.appendBytes) {
    return rejected('append_too_large', `An append to ${stream} has ${dataBytes(events)} bytes; ${LOG_LIMITS.appendBytes} are allowed.`);
  }
  if (count > 1 && new Set(events.map(({ eventId }) => eventId)).size < count) {
    return rejected('append_malformed', `An append to ${stream} has the same event id twice.`);
  }
  const bytes = (units + metadataUnits) * MAX_BYTES_PER_UNIT;
  return { stream, category: stream.slice(0, stream.indexOf('-')), expected, events, bytes };
};

export const isRejection = (prepared: PreparedAppend | Rejection): prepared is Rejection => 'outcome' in prepared;
