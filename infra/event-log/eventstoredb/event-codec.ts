import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { Position } from '../../../schemas/event-envelope.ts';
import type { PreparedEvent } from '../prepare-append.ts';
import type { StoredEvent } from '../stored-event.ts';

/** .NET ticks in a millisecond. */
const TICKS = 10_000n;
/** What a server that does not know an event's place in the log says instead. */
const NO_POSITION = 18_446_744_073_709_551_615n;

// The text around the metadata of an event: the schema version has no other place in the store, and the metadata's text stays as it was made.
const METADATA = /^\{"schemaVersion":(\d+),"metadata":(\{.*\})\}$/s;
const wrapped = ({ schemaVersion, metadata }: PreparedEvent): string => `{"schemaVersion":${schemaVersion},"metadata":${metadata}}`;

/** An event of the log as it came, with the least that is known of every event, ours or not. */
export interface FoundEvent {
  readonly position: Position;
  readonly revision: number;
  readonly eventId: string;
  /** `null` for events that this log has not written: those of the store itself, and of whoever else uses it. */
  readonly stored: StoredEvent | null;
}

const signedHex = (text: string): string => BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, '0');

export const textOfUuid = (uuid: UUID | undefined): string => {
  const structured = uuid?.getStructured();
  if (structured === undefined) return uuid?.getString() ?? '';
  const hex = signedHex(structured.getMostSignificantBits()) + signedHex(structured.getLeastSignificantBits());
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

export const uuidOf = (text: string): UUID => {
  const uuid = new shared.UUID();
  uuid.setString(text);
  return uuid;
};

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

export const proposed = (event: PreparedEvent): BatchAppendReq.ProposedMessage => {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(uuidOf(event.eventId));
  message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
  message.setData(Buffer.from(event.data));
  message.setCustomMetadata(Buffer.from(wrapped(event)));
  return message;
};

/** @throws when the server is too old to say where in the log an event of a stream lies. */
export const found = (message: ReadResp, iso: (epochMs: number) => string): FoundEvent | undefined => {
  const event = message.getEvent()?.getEvent();
  if (event === undefined) return undefined;
  const commit = BigInt(event.getCommitPosition());
  if (commit === NO_POSITION) throw new Error('This EventStoreDB does not tell the positions of a stream’s events; 22.10 or newer does.');
  const position = commit as Position;
  const revision = Number(event.getStreamRevision());
  const eventId = textOfUuid(event.getId()).toLowerCase();
  const system = event.getMetadataMap();
  const type = system.get('type') ?? '';
  const [, schemaVersion, metadata] = METADATA.exec(textOf(event.getCustomMetadata_asU8())) ?? [];
  if (type.startsWith('$') || schemaVersion === undefined || metadata === undefined) return { position, revision, eventId, stored: null };
  const stored: StoredEvent = {
    position,
    stream: textOf(event.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array()),
    revision,
    eventId,
    type,
    schemaVersion: Number(schemaVersion),
    recordedAt: iso(Number(BigInt(system.get('created') ?? '0') / TICKS)),
    data: textOf(event.getData_asU8()),
    metadata,
  };
  return { position, revision, eventId, stored };
};
