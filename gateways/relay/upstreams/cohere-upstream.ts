import { cohereChatBody } from '../../../domain/dialects/cohere/chat-body.ts';
import { CohereChunks } from '../../../domain/dialects/cohere/completion-chunks.ts';
import { cohereCompletion } from '../../../domain/dialects/cohere/completion.ts';
import { cohereEmbedBody, cohereEmbeddings } from '../../../domain/dialects/cohere/embed.ts';
import { cohereRanking, cohereRerankBody } from '../../../domain/dialects/cohere/rerank.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { HubAnswer } from '../hub-answer.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { EventTranslation } from './event-translation.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

/** Cohere's own numbers: what it would not answer, and what it would not take. */
const STATUSES: ReadonlyMap<number, number> = new Map([
  [498, 400],
  [499, 503],
]);

/** What is said at an endpoint, and where; `null` for one that Cohere does not have. */
const askedAt = ({ parsed, upstreamModel, loweredOutput }: Ask): { readonly path: string; readonly body: object } | null => {
  switch (parsed.endpoint) {
    case 'chat':
      return { path: '/chat', body: cohereChatBody(parsed.request, upstreamModel, loweredOutput) };
    case 'embeddings':
      return { path: '/embed', body: cohereEmbedBody(parsed.request, upstreamModel) };
    case 'rerank':
      return { path: '/rerank', body: cohereRerankBody(parsed.request, upstreamModel) };
    default:
      return null;
  }
};

const toldAt = ({ parsed, upstreamModel, createdAt }: Ask, said: unknown): HubAnswer | null => {
  if (parsed.endpoint === 'embeddings') return cohereEmbeddings(said, upstreamModel);
  return parsed.endpoint === 'rerank' ? cohereRanking(said) : cohereCompletion(said, createdAt, upstreamModel);
};

const translation = (ask: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    return toldAt(ask, said) ?? wordedError(502, said);
  },
  error: (status, body) => asJson(wordedError(status, jsonIn(body))),
  stream: () => new EventTranslation(new CohereChunks(ask.createdAt, ask.upstreamModel), ask.limits.eventBytes),
  statusOf: (status) => STATUSES.get(status) ?? status,
});

/** Version 2 of Cohere's API. */
export const cohereUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, limits } = ask;
    const asked = askedAt(ask);
    if (asked === null) return refuse('invalid_request', 'Models behind Cohere’s format answer chats, make embeddings and rerank only.');
    const { path, body } = asked;
    if (isRefusal(body)) return body;
    const streamed = parsed.endpoint === 'chat' && parsed.request.stream === true;
    return {
      path,
      headers: {},
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), streamed, limits, listener),
    };
  },
};
