import { MessageStream } from '../../../domain/dialects/anthropic/message-stream.ts';
import { messageOf, type MessageIdentity } from '../../../domain/dialects/anthropic/message.ts';
import { messagesUsage } from '../../../domain/dialects/anthropic/usage.ts';
import { converseAnswer, converseEvents } from '../../../domain/dialects/converse/answered.ts';
import { errorTable, type Refusal } from '../../../schemas/errors.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { eventFrameBytes } from './event-frame-bytes.ts';
import { HubReader, sentenceOf } from './said-in-hub.ts';

/** AWS’s name for what an HTTP status says; its clients make their exceptions of it. */
const errorType = (status: number): string => {
  switch (status) {
    case 401:
    case 403:
      return 'AccessDeniedException';
    case 404:
      return 'ResourceNotFoundException';
    case 402:
    case 429:
      return 'ThrottlingException';
    case 503:
      return 'ServiceUnavailableException';
    default:
      return status < 500 ? 'ValidationException' : 'InternalServerException';
  }
};

const identityOf = ({ requestId, model }: AnswerIdentity): MessageIdentity => ({ id: requestId, model });

const failure = (message: string): Buffer =>
  eventFrameBytes(
    { ':exception-type': 'modelStreamErrorException', ':content-type': 'application/json', ':message-type': 'exception' },
    { message },
  );

class ConverseStream implements StreamWriter {
  readonly #stream: MessageStream;
  readonly #hub = new HubReader();

  constructor(identity: AnswerIdentity) {
    this.#stream = new MessageStream(identityOf(identity));
  }

  write(events: HubEvents): Buffer {
    const frames: Buffer[] = [];
    this.#hub.read(
      events,
      (chunk) => frames.push(...this.#told(this.#stream.push(chunk))),
      (sentence) => frames.push(failure(sentence)),
    );
    return Buffer.concat(frames);
  }

  end(usage: Usage): Buffer {
    return Buffer.concat(this.#told(this.#stream.end(messagesUsage(usage))));
  }

  broken({ message }: Refusal): Buffer {
    return failure(message);
  }

  #told(said: ReturnType<MessageStream['push']>): readonly Buffer[] {
    return said
      .flatMap(converseEvents)
      .map(({ type, payload }) =>
        eventFrameBytes({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, payload),
      );
  }
}

/** Answers in the form of Bedrock’s Converse, streams in AWS’s frames. */
export const converseAnswers: AnswerDialect = {
  name: 'bedrock',
  requestIdHeaders: ['x-amzn-requestid', 'x-request-id'],
  errorBody: ({ refused, message }) => JSON.stringify({ __type: errorType(errorTable[refused].status), message }),
  passedError: (status, body) => Buffer.from(JSON.stringify({ __type: errorType(status), message: sentenceOf(body) })),
  answer: (completion, usage, identity) => {
    const counts = messagesUsage(usage);
    const message = messageOf(completion, identityOf(identity), counts);
    return Buffer.from(JSON.stringify(converseAnswer(message, counts)));
  },
  // Nothing but frames may come.
  heartbeat: Buffer.alloc(0),
  streamType: 'application/vnd.amazon.eventstream',
  streamWriter: (identity) => new ConverseStream(identity),
};
