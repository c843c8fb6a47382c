import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { MistralChunks } from '../../../domain/dialects/mistral/chunks.ts';
import { messagesUsage } from '../../../domain/dialects/anthropic/usage.ts';
import { promptTokensOf } from '../../../domain/pricing/cost.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { HubEvents } from '../hub-events.ts';
import type { AnswerDialect, AnswerIdentity, StreamWriter } from './answer-dialect.ts';
import { openaiAnswers } from './openai-answers.ts';
import { forEachChunk } from './said-in-hub.ts';

const usageOf = (usage: Usage): Readonly<Record<string, number>> => {
  const [prompt, output] = [promptTokensOf(usage), messagesUsage(usage).output_tokens];
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output };
};

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

class MistralStream implements StreamWriter {
  readonly #identity: AnswerIdentity;
  readonly #chunks: MistralChunks;

  constructor(identity: AnswerIdentity) {
    this.#identity = identity;
    this.#chunks = new MistralChunks(identity.requestId, identity.model);
  }

  write(events: HubEvents): string {
    let text = '';
    forEachChunk(events, (chunk) => {
      if (isRecord(chunk) && isRecord(chunk['error'])) text += event(chunk);
      else {
        const said = this.#chunks.push(chunk);
        if (said !== null) text += event(said);
      }
    });
    return text;
  }

  end(usage: Usage): Buffer {
    return Buffer.from(`${event(this.#chunks.end(usageOf(usage)))}data: [DONE]\n\n`);
  }

  broken(refusal: Refusal): Buffer {
    return Buffer.from(`data: ${openaiAnswers.errorBody(refusal, this.#identity.requestId)}\n\n`);
  }
}

/** OpenAI's form as Mistral's clients read it, which are stricter about it than OpenAI's own. */
export const mistralAnswers: AnswerDialect = {
  ...openaiAnswers,
  name: 'mistral',
  answer: (answer, usage, { requestId, model }) => {
    return Buffer.from(JSON.stringify({ id: requestId, ...(isRecord(answer) ? answer : {}), model, usage: usageOf(usage) }));
  },
  streamWriter: (identity) => new MistralStream(identity),
};
