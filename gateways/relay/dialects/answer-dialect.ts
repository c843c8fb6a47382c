import type { Refusal } from '../../../schemas/errors.ts';
import type { RequestId } from '../../../schemas/ids.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';

/** How a stream in a dialect ends. */
export interface StreamCloser {
  /** The last events of a stream that is whole; a promise where something has to be done first. */
  end(usage: Usage): Buffer | Promise<Buffer>;
  /** The last event of one that is not. */
  broken(refusal: Refusal): Buffer;
}

/** A stream in a dialect, made from the events of OpenAI's. */
export interface StreamWriter extends StreamCloser {
  /** Whole events, as they came or as they were told; what they come to in this dialect, possibly nothing. */
  write(events: HubEvents): Buffer | string;
}

/** Which answer it is, and of which model, as the client named it. */
export interface AnswerIdentity {
  readonly requestId: RequestId;
  readonly model: string;
}

/** How a client that speaks some dialect is answered. Within the relay an answer has OpenAI's form. */
export interface AnswerDialect {
  readonly name: 'openai' | 'anthropic' | 'gemini' | 'responses' | 'cohere' | 'mistral' | 'ollama' | 'bedrock';
  /** Names of the header that carries the id of the request. */
  readonly requestIdHeaders: readonly string[];
  errorBody(refusal: Refusal, requestId: RequestId): string;
  /** An upstream's own error, which came in OpenAI's form, with its status. */
  passedError(status: number, body: Buffer, requestId: RequestId): Buffer;
  /** A whole answer, as the value that it is in OpenAI's form; a promise where something has to be done first. `null`: the upstream's answer is the client's. */
  readonly answer: ((said: unknown, usage: Usage, identity: AnswerIdentity) => Buffer | Promise<Buffer>) | null;
  /** Kept up while a stream is silent; empty where clients take nothing but events. */
  readonly heartbeat: Buffer;
  readonly streamType: string;
  /** `null`: the upstream's events are the client's. */
  streamWriter(identity: AnswerIdentity): StreamWriter | null;
}
