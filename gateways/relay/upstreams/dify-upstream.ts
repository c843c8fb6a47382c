import { difyChatBody } from '../../../domain/dialects/dify/chat-body.ts';
import { DifyChunks } from '../../../domain/dialects/dify/completion-chunks.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldOfEvents } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const STREAM: Readonly<Record<string, string>> = { accept: 'text/event-stream' };

const translation = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => toldOfEvents(new DifyChunks(createdAt, upstreamModel), body) ?? wordedError(502, jsonIn(body)),
  error: (status, body) => asJson(wordedError(status, jsonIn(body))),
  stream: () => new EventTranslation(new DifyChunks(createdAt, upstreamModel), limits.eventBytes),
});

/** An app made with Dify: whatever the model is called, the key says which app. */
export const difyUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Apps of Dify answer chats only.');
    const body = difyChatBody(parsed.request, loweredOutput);
    if (isRefusal(body)) return body;
    return {
      path: '/chat-messages',
      headers: STREAM,
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), parsed.request.stream === true, limits, listener),
    };
  },
};
