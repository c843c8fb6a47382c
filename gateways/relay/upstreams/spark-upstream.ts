import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { sparkChatBody } from '../../../domain/dialects/spark/chat-body.ts';
import { isLastOfSpark, sparkError, SparkChunks } from '../../../domain/dialects/spark/completion-chunks.ts';
import { sparkModel } from '../../../domain/dialects/spark/models.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { SocketTalk } from '../../ports/upstream.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldOfEvents } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const translation = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => toldOfEvents(new SparkChunks(createdAt, upstreamModel), body) ?? wordedError(502, null),
  error: (status, body) => {
    const said = jsonIn(body);
    return asJson(wordedError(status, sparkError(said) ?? said));
  },
  stream: () => new EventTranslation(new SparkChunks(createdAt, upstreamModel), limits.eventBytes),
});

const judge: SocketTalk['judge'] = (message) => {
  const said = jsonIn(message);
  const error = sparkError(said);
  if (error !== null) return { status: error.status };
  return isLastOfSpark(said) ? 'last' : 'more';
};

/** iFlytek’s Spark, over a WebSocket for each call; whole answers are put together here. */
export const sparkUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Spark’s format answer chats only.');
    const model = sparkModel(upstreamModel);
    if (model === null)
      return refuse('invalid_request', 'Spark has no model of this name; a channel names others as address#domain.', { param: 'model' });
    const body = sparkChatBody(parsed.request, model, loweredOutput);
    if (isRefusal(body)) return body;
    return {
      path: model.path,
      headers: {},
      body: asJson(body),
      socket: { frameBytes: limits.eventBytes, judge },
      interpreter: (listener) => new TranslatedAnswer(translation(ask), parsed.request.stream === true, limits, listener),
    };
  },
};
