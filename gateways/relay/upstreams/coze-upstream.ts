import { cozeChatBody } from '../../../domain/dialects/coze/chat-body.ts';
import { CozeChunks, cozeError } from '../../../domain/dialects/coze/completion-chunks.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldOfEvents } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const translation = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => toldOfEvents(new CozeChunks(createdAt, upstreamModel), body, true) ?? wordedError(502, jsonIn(body)),
  error: (status, body) => {
    const said = jsonIn(body);
    return asJson(wordedError(status, cozeError(said) ?? said));
  },
  statusOf: (status, body) => (status >= 400 ? status : (cozeError(jsonIn(body))?.status ?? status)),
  stream: () => new EventTranslation(new CozeChunks(createdAt, upstreamModel), limits.eventBytes, true),
});

/** A bot made with Coze (version 3 of its API). */
export const cozeUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Bots of Coze answer chats only.');
    const body = cozeChatBody(parsed.request, upstreamModel, loweredOutput);
    if (isRefusal(body)) return body;
    return {
      path: '/v3/chat',
      headers: {},
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), parsed.request.stream === true, limits, listener),
    };
  },
};
