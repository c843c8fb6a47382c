import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { Teller } from '../../../domain/dialects/chat/told.ts';
import type { RequestId } from '../../../schemas/ids.ts';
import type { UpstreamHeaders } from '../../ports/upstream.ts';
import type { AnswerDialect, StreamCloser } from '../dialects/answer-dialect.ts';
import type { Span } from '../json-spans.ts';

/** What one event of a stream comes to. */
export interface Look {
  /** What of it goes to the client at once; `null`: it waits until the charge is on record. */
  readonly passed: Buffer | null;
  /** The usage of all of the stream so far, where this says it. */
  readonly reading: UsageReading | null;
  readonly isError: boolean;
  /** Nothing comes behind it. */
  readonly isLast: boolean;
}

/** A stream that passes in the format in which it came: its events are looked at, and not changed but for the model's name. */
export interface NativeStream extends StreamCloser {
  /** Whole events as they go to the client. */
  write(events: Buffer): Buffer;
  /** Whether there is nothing to do with these events but to pass them on. */
  isOrdinary(events: Buffer): boolean;
  look(event: Buffer): Look;
  /** Tells in the hub's form what was said, where it has to be counted. */
  teller(): Teller;
}

export interface NativeStreamOptions {
  readonly dialect: AnswerDialect;
  readonly requestId: RequestId;
  /** The name that the client knows the model by, where the upstream uses another. */
  readonly renamedTo: string | null;
}

/** How answers are read that go to the client as they came. */
export interface NativeForm {
  readonly members: { readonly usage: string; readonly model: string };
  /** An error in the hub's form, for judging it. */
  hubError(status: number, body: Buffer): Buffer;
  statusOf(status: number, body: Buffer): number;
  headersOf(status: number, body: Buffer): UpstreamHeaders;
  /** What a whole answer says that it took. */
  reading(body: Buffer, usage: Span | null): UsageReading;
  /** What was said in a whole answer. */
  produced(body: Buffer): Countable;
  stream(options: NativeStreamOptions): NativeStream;
}
