import { ollamaChatBody } from '../../../domain/dialects/ollama/chat-body.ts';
import { OllamaChunks } from '../../../domain/dialects/ollama/completion-chunks.ts';
import { ollamaCompletion } from '../../../domain/dialects/ollama/completion.ts';
import { ollamaEmbedBody, ollamaEmbeddings } from '../../../domain/dialects/ollama/embed.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { LineTranslation } from './line-translation.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const translation = ({ parsed, upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    const told =
      parsed.endpoint === 'embeddings' ? ollamaEmbeddings(said, upstreamModel) : ollamaCompletion(said, createdAt, upstreamModel);
    return told ?? wordedError(502, said);
  },
  error: (status, body) => asJson(wordedError(status, jsonIn(body))),
  stream: () => new LineTranslation(new OllamaChunks(createdAt, upstreamModel), limits.eventBytes),
});

/** Ollama's own API. */
export const ollamaUpstream: UpstreamDialect = {
  wantsPictures: () => true,
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat' && parsed.endpoint !== 'embeddings')
      return refuse('invalid_request', 'Models behind Ollama’s format answer chats and make embeddings only.');
    const body =
      parsed.endpoint === 'chat'
        ? ollamaChatBody(parsed.request, upstreamModel, loweredOutput)
        : ollamaEmbedBody(parsed.request, upstreamModel);
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
