import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { UUID } from '@eventstore/db-client/generated/shared_pb.js';
import status from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { AppendResp, BatchAppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import type { ProposedRecord, WriteResult } from './memory-store.ts';
import type { StoreRecord } from './store-record.ts';

const hexOf = (text: string): string => BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, '0');

const uuidText = (uuid: UUID | undefined): string => {
  const structured = uuid?.getStructured();
  if (structured === undefined) return uuid?.getString() ?? '';
  const hex = hexOf(structured.getMostSignificantBits()) + hexOf(structured.getLeastSignificantBits());
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const uuidOf = (text: string): UUID => {
  const uuid = new shared.UUID();
  uuid.setString(text);
  return uuid;
};

export const streamNameOf = (identifier: { getStreamName_asU8(): Uint8Array } | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

const identifierOf = (name: string): InstanceType<typeof shared.StreamIdentifier> => {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(name));
  return identifier;
};

interface Proposed {
  getId(): UUID | undefined;
  getMetadataMap(): { get(key: string): string | undefined };
  getData_asU8(): Uint8Array;
  getCustomMetadata_asU8(): Uint8Array;
}

export const proposedOf = (message: Proposed): ProposedRecord => ({
  id: uuidText(message.getId()),
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? 'application/octet-stream',
  data: message.getData_asU8(),
  metadata: message.getCustomMetadata_asU8(),
});

export const eventMessage = (record: StoreRecord): ReadResp => {
  const event = new streams.ReadResp.ReadEvent.RecordedEvent();
  event.setId(uuidOf(record.id));
  event.setStreamIdentifier(identifierOf(record.stream));
  event.setStreamRevision(record.revision.toString());
  event.setCommitPosition(record.position.toString());
  event.setPreparePosition(record.position.toString());
  const system = event.getMetadataMap();
  system.set('type', record.type);
  system.set('content-type', record.contentType);
  // .NET ticks since 1970.
  system.set('created', (BigInt(record.createdMs) * 10_000n).toString());
  event.setData(record.data);
  event.setCustomMetadata(record.metadata);
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(record.position.toString());
  const message = new streams.ReadResp();
  message.setEvent(read);
  return message;
};

export const checkpointMessage = (position: bigint): ReadResp => {
  const checkpoint = new streams.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(position.toString());
  checkpoint.setPreparePosition(position.toString());
  const message = new streams.ReadResp();
  message.setCheckpoint(checkpoint);
  return message;
};

export const confirmationMessage = (id: string): ReadResp => {
  const confirmation = new streams.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(id);
  const message = new streams.ReadResp();
  message.setConfirmation(confirmation);
  return message;
};

export const caughtUpMessage = (): ReadResp => {
  const message = new streams.ReadResp();
  message.setCaughtUp(new streams.ReadResp.CaughtUp());
  return message;
};

export const fellBehindMessage = (): ReadResp => {
  const message = new streams.ReadResp();
  message.setFellBehind(new streams.ReadResp.FellBehind());
  return message;
};

export const streamNotFoundMessage = (name: string): ReadResp => {
  const notFound = new streams.ReadResp.StreamNotFound();
  notFound.setStreamIdentifier(identifierOf(name));
  const message = new streams.ReadResp();
  message.setStreamNotFound(notFound);
  return message;
};

export const appendAnswer = (result: WriteResult): AppendResp => {
  const answer = new streams.AppendResp();
  if (result.result === 'wrong_expected_version') {
    const wrong = new streams.AppendResp.WrongExpectedVersion();
    if (result.current === 'no_stream') wrong.setCurrentNoStream(new shared.Empty());
    else wrong.setCurrentRevision(result.current.toString());
    answer.setWrongExpectedVersion(wrong);
    return answer;
  }
  const position = new streams.AppendResp.Position();
  position.setCommitPosition(result.position.toString());
  position.setPreparePosition(result.position.toString());
  const success = new streams.AppendResp.Success();
  success.setCurrentRevision(result.revision.toString());
  success.setPosition(position);
  answer.setSuccess(success);
  return answer;
};

const packed = (name: string, bytes: Uint8Array): InstanceType<typeof any.Any> => {
  const details = new any.Any();
  details.pack(bytes, name);
  return details;
};

const batchError = (message: string, details: InstanceType<typeof any.Any>): InstanceType<typeof status.Status> => {
  const error = new status.Status();
  error.setCode(2);
  error.setMessage(message);
  error.setDetails(details);
  return error;
};

/** An answer to one append of a batch; `tooLarge` and `refused` are the errors beside a wrong expected version. */
export const batchAnswer = (
  correlationId: UUID | undefined,
  stream: string,
  result: WriteResult | { readonly result: 'too_large'; readonly most: number } | { readonly result: 'refused'; readonly error: string },
): BatchAppendResp => {
  const answer = new streams.BatchAppendResp();
  answer.setCorrelationId(correlationId);
  answer.setStreamIdentifier(identifierOf(stream));
  switch (result.result) {
    case 'too_large': {
      const large = new shared.MaximumAppendSizeExceeded();
      large.setMaxappendsize(result.most);
      answer.setError(
        batchError('Maximum append size exceeded', packed('event_store.client.MaximumAppendSizeExceeded', large.serializeBinary())),
      );
      break;
    }
    case 'refused':
      answer.setError(batchError(result.error, packed(`event_store.client.${result.error}`, new empty.Empty().serializeBinary())));
      break;
    case 'wrong_expected_version': {
      const wrong = new shared.WrongExpectedVersion();
      if (result.current === 'no_stream') wrong.setCurrentNoStream(new empty.Empty());
      else wrong.setCurrentStreamRevision(result.current.toString());
      answer.setError(batchError('Wrong expected version', packed('event_store.client.WrongExpectedVersion', wrong.serializeBinary())));
      break;
    }
    default: {
      const position = new shared.AllStreamPosition();
      position.setCommitPosition(result.position.toString());
      position.setPreparePosition(result.position.toString());
      const success = new streams.BatchAppendResp.Success();
      success.setCurrentRevision(result.revision.toString());
      success.setPosition(position);
      answer.setSuccess(success);
    }
  }
  return answer;
};
