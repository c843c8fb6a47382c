import { MessageStream } from '../../../domain/dialects/anthropic/message-stream.ts';
import { messageOf, type MessageIdentity } from '../../../domain/dialects/anthropic/message.ts';
import { messagesUsage } from '../../../domain/dialects/anthropic/usage.ts';
import { cohereAnswer, CohereEvents } from '../../../domain/dialects/cohere/answered.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { promptTokensOf } from '../../../domain/pricing/cost.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { rerankAnswers } from './rerank-answers.ts';
import { HubReader } from './said-in-hub.ts';

const identityOf = ({ requestId, model }: AnswerIdentity): MessageIdentity => ({ id: requestId, model });

const event = (value: object): string => `event: ${(value as { type: string }).type}\ndata: ${JSON.stringify(value)}\n\n`;

const failure = (error: string): object => ({ type: 'message-end', delta: { error, finish_reason: 'ERROR' } });

class CohereStream implements StreamWriter {
  readonly #stream: MessageStream;
  readonly #hub = new HubReader();
  readonly #events = new CohereEvents();

  constructor(identity: AnswerIdentity) {
    this.#stream = new MessageStream(identityOf(identity));
  }

  write(events: HubEvents): string {
    let text = '';
    this.#hub.read(
      events,
      (chunk) => {
        text += this.#told(this.#stream.push(chunk));
      },
      (sentence) => {
        text += event(failure(sentence));
      },
    );
    return text;
  }

  end(usage: Usage): Buffer {
    return Buffer.from(this.#told(this.#stream.end(messagesUsage(usage))));
  }

  broken({ message }: Refusal): Buffer {
    return Buffer.from(event(failure(message)));
  }

  #told(said: ReturnType<MessageStream['push']>): string {
    return said
      .flatMap((one) => this.#events.push(one))
      .map(event)
      .join('');
  }
}

/** Answers in the form of version 2 of Cohere’s chat. */
export const cohereAnswers: AnswerDialect = {
  ...rerankAnswers,
  answer: (completion, usage, identity) => {
    const counts = messagesUsage(usage);
    const message = messageOf(completion, identityOf(identity), counts);
    return Buffer.from(JSON.stringify(cohereAnswer(message, counts)));
  },
  streamWriter: (identity) => new CohereStream(identity),
};

/** Vectors in Cohere’s form. */
export const cohereEmbeddings: AnswerDialect = {
  ...rerankAnswers,
  answer: (said, usage, { requestId }) => {
    const data: readonly unknown[] = isRecord(said) && Array.isArray(said['data']) ? said['data'] : [];
    const float = data.map((one) => (isRecord(one) ? one['embedding'] : []));
    const meta = { api_version: { version: '2' }, billed_units: { input_tokens: promptTokensOf(usage) } };
    return Buffer.from(JSON.stringify({ id: requestId, embeddings: { float }, texts: [], meta, response_type: 'embeddings_by_type' }));
  },
};
