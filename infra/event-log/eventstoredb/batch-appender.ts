import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import timestamp from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { Position } from '../../../schemas/event-envelope.ts';
import { toError } from '../log-fault.ts';
import { EXPECTED } from '../prepare-append.ts';
import type { PreparedAppend } from '../prepare-append.ts';
import { DeadlineExceeded } from './connection.ts';
import type { BatchAppendCall, Connection } from './connection.ts';
import { proposed, textOfUuid, uuidOf } from './event-codec.ts';

/** What the server made of one append, sent with an exact revision. */
export type Sent =
  | { readonly sent: 'appended'; readonly revision: number; readonly position: Position }
  | { readonly sent: 'conflict' }
  | { readonly sent: 'refused'; readonly reason: 'append_too_large' | 'append_malformed'; readonly message: string }
  | { readonly sent: 'unknown'; readonly cause: Error; readonly isLasting?: boolean };

interface Pending {
  readonly call: BatchAppendCall;
  readonly resolve: (sent: Sent) => void;
}

/** A server takes messages of 4 MiB unless it is told otherwise; a longer append goes in several, which count as one. */
const MESSAGE_BYTES = 2_097_152;

const requestsOf = (correlationId: string, append: PreparedAppend, at: number, deadlineMs: number): BatchAppendReq[] => {
  const options = new streams.BatchAppendReq.Options();
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(append.stream));
  options.setStreamIdentifier(identifier);
  options.setDeadline(timestamp.Timestamp.fromDate(new Date(Date.now() + deadlineMs)));
  if (at === EXPECTED.no_stream) options.setNoStream(new empty.Empty());
  else options.setStreamPosition(at.toString());

  const requests: BatchAppendReq[] = [];
  let request: BatchAppendReq | undefined;
  let bytes = 0;
  for (const event of append.events) {
    const size = Buffer.byteLength(event.data) + Buffer.byteLength(event.metadata);
    if (request === undefined || bytes + size > MESSAGE_BYTES) {
      request = new streams.BatchAppendReq();
      request.setCorrelationId(uuidOf(correlationId));
      request.setIsFinal(false);
      if (requests.length === 0) request.setOptions(options);
      requests.push(request);
      bytes = 0;
    }
    request.addProposedMessages(proposed(event));
    bytes += size;
  }
  request?.setIsFinal(true);
  return requests;
};

const sentOf = (answer: BatchAppendResp): Sent => {
  const success = answer.getSuccess();
  if (success !== undefined) {
    const position = success.getPosition();
    if (position === undefined) return { sent: 'unknown', cause: new Error('EventStoreDB did not say where it has written.') };
    return {
      sent: 'appended',
      revision: Number(success.getCurrentRevision()),
      position: BigInt(position.getCommitPosition()) as Position,
    };
  }
  const error = answer.getError();
  const kind = error?.getDetails()?.getTypeName() ?? '';
  switch (kind.slice(kind.lastIndexOf('.') + 1)) {
    case 'WrongExpectedVersion':
      return { sent: 'conflict' };
    case 'MaximumAppendSizeExceeded':
      return {
        sent: 'refused',
        reason: 'append_too_large',
        message: 'EventStoreDB is set to take smaller appends than the log’s limits allow (MaxAppendSize).',
      };
    case 'StreamDeleted':
      return { sent: 'refused', reason: 'append_malformed', message: 'The stream was deleted for good.' };
    case 'Timeout':
      return { sent: 'unknown', cause: new Error('EventStoreDB gave up an append that took too long.') };
    default:
      // Not the leader, not ready, no access: whoever sends on down the same stream hears the same.
      return {
        sent: 'unknown',
        isLasting: true,
        cause: new Error(`EventStoreDB answered an append with ${kind || 'an error'}: ${error?.getMessage() ?? ''}`),
      };
  }
};

/**
 * Sends appends down one stream, in the order of the calls, and hears their answers. The server keeps that order. When the stream breaks,
 * ends, or is silent for the length of a deadline, what was sent on it and is unanswered is `unknown`, and the next append opens
 * another.
 */
export class BatchAppender {
  readonly #connection: Connection;
  readonly #deadlineMs: number;
  readonly #pending = new Map<string, Pending>();
  #call: Promise<BatchAppendCall> | undefined;
  /** Runs while anything is unanswered, anew with each answer: the last of a large batch may take longer than a deadline, silence may not. */
  #silence: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(connection: Connection, deadlineMs: number) {
    this.#connection = connection;
    this.#deadlineMs = deadlineMs;
  }

  /** `at` is the revision of the stream's last event, or -1. Never throws. */
  send(append: PreparedAppend, at: number): Promise<Sent> {
    const opening = (this.#call ??= this.#open());
    return opening.then(
      (call) => this.#write(call, append, at),
      (thrown: unknown): Sent => ({ sent: 'unknown', cause: toError(thrown) }),
    );
  }

  #open(): Promise<BatchAppendCall> {
    const opening = this.#closed ? Promise.reject(new Error('The event log is closed.')) : this.#connection.batchAppend();
    const forget = (): void => {
      if (this.#call === opening) this.#call = undefined;
    };
    opening.then((call) => {
      const lost = (error: Error): void => {
        forget();
        this.#lose(call, error);
      };
      call.on('data', (answer: BatchAppendResp) => this.#heard(answer));
      call.on('error', lost);
      call.on('end', () => lost(new Error('EventStoreDB ended the stream of appends.')));
    }, forget);
    return opening;
  }

  #write(call: BatchAppendCall, append: PreparedAppend, at: number): Promise<Sent> {
    return new Promise((resolve) => {
      const correlationId = randomUUID();
      this.#pending.set(correlationId, { call, resolve });
      this.#silence ??= setTimeout(() => this.#expire(call), this.#deadlineMs);
      // What waits to be written is bounded by the size of a batch: another is sent only when this one is answered.
      for (const request of requestsOf(correlationId, append, at, this.#deadlineMs)) call.write(request);
    });
  }

  #heard(answer: BatchAppendResp): void {
    const correlationId = textOfUuid(answer.getCorrelationId());
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return;
    this.#pending.delete(correlationId);
    if (this.#pending.size > 0) this.#silence?.refresh();
    else this.#hush();
    const sent = sentOf(answer);
    pending.resolve(sent);
    if (sent.sent === 'unknown' && sent.isLasting === true) this.#renew();
  }

  #hush(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }

  #expire(call: BatchAppendCall): void {
    this.#lose(call, new DeadlineExceeded(this.#deadlineMs));
    this.#renew();
  }

  #renew(): void {
    this.#call = undefined;
    this.#connection.renew();
  }

  #lose(call: BatchAppendCall, cause: Error): void {
    for (const [correlationId, pending] of this.#pending) {
      if (pending.call !== call) continue;
      this.#pending.delete(correlationId);
      pending.resolve({ sent: 'unknown', cause });
    }
    if (this.#pending.size === 0) this.#hush();
  }

  close(): void {
    this.#closed = true;
    for (const { call } of [...this.#pending.values()]) this.#lose(call, new Error('The event log is closed.'));
    this.#call = undefined;
  }
}
