import { dashscopeChatBody, isMultimodal } from '../../../domain/dialects/dashscope/chat-body.ts';
import { DashscopeChunks } from '../../../domain/dialects/dashscope/completion-chunks.ts';
import { dashscopeEmbedBody, dashscopeEmbeddings } from '../../../domain/dialects/dashscope/embed.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldWhole } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const STREAM: Readonly<Record<string, string>> = { 'x-dashscope-sse': 'enable', accept: 'text/event-stream' };
const NO_HEADERS: Readonly<Record<string, string>> = {};

const translation = ({ parsed, upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    const told =
      parsed.endpoint === 'embeddings'
        ? dashscopeEmbeddings(said, upstreamModel)
        : toldWhole(new DashscopeChunks(createdAt, upstreamModel), said);
    return told ?? wordedError(502, said);
  },
  error: (status, body) => asJson(wordedError(status, jsonIn(body))),
  stream: () => new EventTranslation(new DashscopeChunks(createdAt, upstreamModel), limits.eventBytes),
});

/** DashScope’s own API. */
export const dashscopeUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    if (parsed.endpoint !== 'chat' && parsed.endpoint !== 'embeddings')
      return refuse('invalid_request', 'Models behind DashScope’s format answer chats and make embeddings only.');
    const body =
      parsed.endpoint === 'chat'
        ? dashscopeChatBody(parsed.request, upstreamModel, loweredOutput)
        : dashscopeEmbedBody(parsed.request, upstreamModel);
    if (isRefusal(body)) return body;
    const streamed = parsed.endpoint === 'chat' && parsed.request.stream === true;
    const path =
      parsed.endpoint === 'embeddings'
        ? '/services/embeddings/text-embedding/text-embedding'
        : `/services/aigc/${isMultimodal(parsed.request, upstreamModel) ? 'multimodal' : 'text'}-generation/generation`;
    return {
      path,
      headers: streamed ? STREAM : NO_HEADERS,
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), streamed, limits, listener),
    };
  },
};
