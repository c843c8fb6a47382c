import { textsToEmbed } from '../../../domain/dialects/chat/embeddings.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { wenxinAddress, wenxinChatBody } from '../../../domain/dialects/wenxin/chat-body.ts';
import { wenxinEmbeddings, wenxinError, wenxinTeller } from '../../../domain/dialects/wenxin/completion-chunks.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldWhole } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const translation = ({ parsed, upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    const told =
      parsed.endpoint === 'embeddings' ? wenxinEmbeddings(said, upstreamModel) : toldWhole(wenxinTeller(createdAt, upstreamModel), said);
    return told ?? wordedError(502, said);
  },
  error: (status, body) => {
    const said = jsonIn(body);
    return asJson(wordedError(status, wenxinError(said) ?? said));
  },
  statusOf: (status, body) => (status >= 400 ? status : (wenxinError(jsonIn(body))?.status ?? status)),
  stream: () => new EventTranslation(wenxinTeller(createdAt, upstreamModel), limits.eventBytes),
});

const bodyOf = ({ parsed, loweredOutput }: Ask): object | Refusal => {
  if (parsed.endpoint === 'chat') return wenxinChatBody(parsed.request, loweredOutput);
  if (parsed.endpoint !== 'embeddings')
    return refuse('invalid_request', 'Models behind wenxinworkshop’s format answer chats and make embeddings only.');
  const texts = textsToEmbed(parsed.request);
  return 'refused' in texts ? texts : { input: texts };
};

/** Baidu’s older API, wenxinworkshop: models stand in addresses. */
export const wenxinUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, limits } = ask;
    const body = bodyOf(ask);
    if (isRefusal(body)) return body;
    const streamed = parsed.endpoint === 'chat' && parsed.request.stream === true;
    const kind = parsed.endpoint === 'chat' ? 'chat' : 'embeddings';
    return {
      path: `/${kind}/${encodeURIComponent(wenxinAddress(upstreamModel))}`,
      headers: {},
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), streamed, limits, listener),
    };
  },
};
