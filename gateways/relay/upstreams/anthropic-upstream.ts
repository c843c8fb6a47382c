import { completionOf } from '../../../domain/dialects/anthropic/completion.ts';
import { CompletionChunks } from '../../../domain/dialects/anthropic/completion-chunks.ts';
import { messagesBody } from '../../../domain/dialects/anthropic/messages-body.ts';
import { saidError } from '../../../domain/dialects/anthropic/said-error.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { splice } from '../json-spans.ts';
import { anthropicNative } from '../native/anthropic-native.ts';
import type { NativeRequest } from '../native/native-request.ts';
import { anthropicErrors } from './anthropic-errors.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, Asked, UpstreamDialect } from './upstream-dialect.ts';

/** The version whose rules the conversion follows: it takes sampling where the model does. */
const HEADERS = { 'anthropic-version': '2023-06-01' } as const;

/** Anthropic takes no smaller budget to think with. */
const LEAST_BUDGET = 1_024;

const translationAt = (created: number, eventBytes: number): Translation => ({
  ...anthropicErrors,
  answer: (body) => {
    const said = jsonIn(body);
    return completionOf(said, created) ?? saidError(said);
  },
  stream: () => new EventTranslation(new CompletionChunks(created), eventBytes),
});

/** A smaller answer than was asked for leaves less to think with, or nothing. */
const lowered = ({ value, maxTokens }: NativeRequest, upstreamModel: string, most: number): Buffer => {
  const limit = Math.min(maxTokens ?? most, most);
  const { thinking, ...rest } = value;
  const budget = isRecord(thinking) ? thinking['budget_tokens'] : undefined;
  const fits = typeof budget !== 'number' || budget < limit;
  const less = isRecord(thinking) && limit > LEAST_BUDGET ? { thinking: { ...thinking, budget_tokens: limit - 1 } } : {};
  return asJson({ ...rest, ...(fits ? { thinking } : less), model: upstreamModel, max_tokens: limit });
};

const given = (name: string, value: string | readonly string[] | undefined): Readonly<Record<string, string>> =>
  typeof value === 'string' ? { [name]: value } : {};

/** The client's own bytes, with the version and the extensions that it named. */
const askNatively = (native: NativeRequest, { upstreamModel, loweredOutput, clientHeaders }: Ask): Asked => {
  const { body, model, modelAt } = native;
  const renamed = modelAt === null || model === upstreamModel ? body : splice(body, [{ ...modelAt, text: JSON.stringify(upstreamModel) }]);
  return {
    path: '/messages',
    headers: {
      ...HEADERS,
      ...given('anthropic-version', clientHeaders['anthropic-version']),
      ...given('anthropic-beta', clientHeaders['anthropic-beta']),
    },
    body: loweredOutput === null ? renamed : lowered(native, upstreamModel, loweredOutput),
    interpreter: null,
    native: anthropicNative,
  };
};

/** Anthropic's Messages. */
export const anthropicUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, native, upstreamModel, modelLimit, loweredOutput, limits, createdAt } = ask;
    if (native !== null) return askNatively(native, ask);
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Anthropic’s format answer chats only.');
    const body = messagesBody(parsed.request, { upstreamModel, modelLimit, loweredOutput });
    if (isRefusal(body)) return body;
    const streamed = parsed.request.stream === true;
    return {
      path: '/messages',
      headers: HEADERS,
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(translationAt(createdAt, limits.eventBytes), streamed, limits, listener),
    };
  },
};
