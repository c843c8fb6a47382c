import { messagesUsage } from '../../../domain/dialects/anthropic/usage.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { ollamaAnswer, OllamaLines, type OllamaCounts, type OllamaForm } from '../../../domain/dialects/ollama/answered.ts';
import { promptTokensOf } from '../../../domain/pricing/cost.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { HubReader, sentenceOf } from './said-in-hub.ts';

const countsOf = (usage: Usage): OllamaCounts => ({ prompt: promptTokensOf(usage), output: messagesUsage(usage).output_tokens });

const line = (value: object): string => `${JSON.stringify(value)}\n`;

class OllamaStream implements StreamWriter {
  readonly #lines: OllamaLines;
  readonly #hub = new HubReader();

  constructor({ model }: AnswerIdentity, form: OllamaForm) {
    this.#lines = new OllamaLines(model, form);
  }

  write(events: HubEvents): string {
    let text = '';
    this.#hub.read(
      events,
      (chunk) => {
        const said = this.#lines.push(chunk);
        if (said !== null) text += line(said);
      },
      (error) => {
        text += line({ error });
      },
    );
    return text;
  }

  end(usage: Usage): Buffer {
    return Buffer.from(this.#lines.end(countsOf(usage)).map(line).join(''));
  }

  broken({ message }: Refusal): Buffer {
    return Buffer.from(line({ error: message }));
  }
}

const answersIn = (form: OllamaForm): AnswerDialect => ({
  name: 'ollama',
  requestIdHeaders: ['x-request-id'],
  errorBody: ({ message }) => JSON.stringify({ error: message }),
  passedError: (_status, body) => Buffer.from(JSON.stringify({ error: sentenceOf(body) })),
  answer: (completion, usage, { model }) => Buffer.from(JSON.stringify(ollamaAnswer(completion, model, form, countsOf(usage)))),
  // Every line is a piece of the answer.
  heartbeat: Buffer.alloc(0),
  streamType: 'application/x-ndjson',
  streamWriter: (identity) => new OllamaStream(identity, form),
});

/** Answers of Ollama’s chat, streams line by line. */
export const ollamaAnswers: AnswerDialect = answersIn('chat');
/** The same of what follows a prompt. */
export const ollamaGenerated: AnswerDialect = answersIn('generate');

/** Vectors in Ollama’s form. */
export const ollamaEmbeddings: AnswerDialect = {
  ...ollamaAnswers,
  answer: (said, usage, { model }) => {
    const data: readonly unknown[] = isRecord(said) && Array.isArray(said['data']) ? said['data'] : [];
    const vectors = data.map((one) => (isRecord(one) ? one['embedding'] : []));
    const counts = { total_duration: 0, load_duration: 0, prompt_eval_count: promptTokensOf(usage) };
    return Buffer.from(JSON.stringify({ model, embeddings: vectors, ...counts }));
  },
};
