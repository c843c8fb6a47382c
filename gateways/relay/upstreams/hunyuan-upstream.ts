import { hunyuanChatBody } from '../../../domain/dialects/hunyuan/chat-body.ts';
import { hunyuanError, hunyuanTeller } from '../../../domain/dialects/hunyuan/completion-chunks.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldWhole } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const ACTION: Readonly<Record<string, string>> = { 'x-tc-action': 'ChatCompletions', 'x-tc-version': '2023-09-01' };

const translation = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    return toldWhole(hunyuanTeller(createdAt, upstreamModel), said) ?? wordedError(502, said);
  },
  error: (status, body) => {
    const said = jsonIn(body);
    return asJson(wordedError(status, hunyuanError(said) ?? said));
  },
  statusOf: (status, body) => (status >= 400 ? status : (hunyuanError(jsonIn(body))?.status ?? status)),
  stream: () => new EventTranslation(hunyuanTeller(createdAt, upstreamModel), limits.eventBytes),
});

/** Tencent Cloud’s own API of Hunyuan: one address for everything, with the action in a header. */
export const hunyuanUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Hunyuan’s format answer chats only.');
    const body = hunyuanChatBody(parsed.request, upstreamModel, loweredOutput);
    if (isRefusal(body)) return body;
    return {
      path: '/',
      headers: ACTION,
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), parsed.request.stream === true, limits, listener),
    };
  },
};
