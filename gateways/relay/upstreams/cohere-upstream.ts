import { cohereChatBody } from '../../../domain/dialects/cohere/chat-body.ts';
import { CohereChunks } from '../../../domain/dialects/cohere/completion-chunks.ts';
import { cohereCompletion } from '../../../domain/dialects/cohere/completion.ts';
import { cohereEmbedBody, cohereEmbeddings } from '../../../domain/dialects/cohere/embed.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { EventTranslation } from './event-translation.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

/** Cohere's own numbers: what it would not answer, and what it would not take. */
const STATUSES: ReadonlyMap<number, number> = new Map([
  [498, 400],
  [499, 503],
]);

const translation = ({ parsed, upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    const told =
      parsed.endpoint === 'embeddings' ? cohereEmbeddings(said, upstreamModel) : cohereCompletion(said, createdAt, upstreamModel);
    return asJson(told ?? wordedError(502, said));
  },
  error: (status, body) => asJson(wordedError(status, jsonIn(body))),
  stream: () => new EventTranslation(new CohereChunks(createdAt, upstreamModel), limits.eventBytes),
  statusOf: (status) => STATUSES.get(status) ?? status,
});

/** Version 2 of Cohere's API. */
export const cohereUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat' && parsed.endpoint !== 'embeddings')
      return refuse('invalid_request', 'Models behind Cohere’s format answer chats and make embeddings only.');
    const body =
      parsed.endpoint === 'chat'
        ? cohereChatBody(parsed.request, upstreamModel, loweredOutput)
        : cohereEmbedBody(parsed.request, upstreamModel);
    if (isRefusal(body)) return body;
    const streamed = parsed.endpoint === 'chat' && parsed.request.stream === true;
    return {
      path: parsed.endpoint === 'chat' ? '/chat' : '/embed',
      headers: {},
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), streamed, limits, listener),
    };
  },
};
