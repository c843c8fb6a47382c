import { completionOf } from '../../../domain/dialects/anthropic/completion.ts';
import { CompletionChunks } from '../../../domain/dialects/anthropic/completion-chunks.ts';
import { messagesBody } from '../../../domain/dialects/anthropic/messages-body.ts';
import { isOutOfMoney, saidError } from '../../../domain/dialects/anthropic/said-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { EventTranslation } from './event-translation.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

/** The version whose rules the conversion follows: it takes sampling where the model does. */
const HEADERS = { 'anthropic-version': '2023-06-01' } as const;

/** Anthropic has no such status; it is what the hub knows an account without money by. */
const OUT_OF_MONEY = 402;

const jsonOf = (body: Buffer): unknown => parsedJson(body.toString('utf8'));

const asBuffer = (value: object): Buffer => Buffer.from(JSON.stringify(value));

const translationAt = (created: number, eventBytes: number): Translation => ({
  answer: (body) => {
    const said = jsonOf(body);
    const completion = completionOf(said, created);
    return completion === null ? asBuffer(saidError(said)) : asBuffer(completion);
  },
  error: (_status, body) => asBuffer(saidError(jsonOf(body))),
  stream: () => new EventTranslation(new CompletionChunks(created), eventBytes),
  statusOf: (status, body) => (status === 400 && isOutOfMoney(status, jsonOf(body)) ? OUT_OF_MONEY : status),
});

/** Anthropic's Messages. */
export const anthropicUpstream: UpstreamDialect = {
  ask: ({ parsed, upstreamModel, modelLimit, loweredOutput, limits, createdAt }) => {
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Anthropic’s format answer chats only.');
    const body = messagesBody(parsed.request, { upstreamModel, modelLimit, loweredOutput });
    if (isRefusal(body)) return body;
    const streamed = parsed.request.stream === true;
    return {
      path: '/messages',
      headers: HEADERS,
      body: asBuffer(body),
      interpreter: (listener) => new TranslatedAnswer(translationAt(createdAt, limits.eventBytes), streamed, limits, listener),
    };
  },
};
