import { CompletionChunks } from '../../../domain/dialects/anthropic/completion-chunks.ts';
import { completionOf } from '../../../domain/dialects/anthropic/completion.ts';
import { messagesBody } from '../../../domain/dialects/anthropic/messages-body.ts';
import { converseBody } from '../../../domain/dialects/converse/body.ts';
import { ConverseChunks } from '../../../domain/dialects/converse/completion-chunks.ts';
import { converseCompletion } from '../../../domain/dialects/converse/said.ts';
import { isRecord, textOf } from '../../../domain/dialects/loose-json.ts';
import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import type { EventFrame } from './event-frames.ts';
import { FrameTranslation, type FrameTeller } from './frame-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

/** Claude is asked in its own words, which say more than those that Bedrock has for all models. */
const isClaude = (model: string): boolean => /(?:^|[./])anthropic\.claude/.test(model);

const INVOKE_VERSION = 'bedrock-2023-05-31';

const idAt = (created: number): string => `chatcmpl-bedrock-${created}`;

/** What a frame says went wrong; `null`: nothing. */
const exceptionIn = ({ headers, payload }: EventFrame): { readonly type: string; readonly message: string } | null => {
  const kind = headers.get(':message-type');
  if (kind === 'error') return { type: headers.get(':error-code') ?? 'error', message: headers.get(':error-message') ?? '' };
  if (kind !== 'exception') return null;
  const said = jsonIn(payload);
  return { type: headers.get(':exception-type') ?? 'exception', message: isRecord(said) ? textOf(said['message']) : '' };
};

const converseTeller = (created: number, model: string): FrameTeller => {
  const chunks = new ConverseChunks(idAt(created), created, model);
  return {
    push: (frame) => {
      const exception = exceptionIn(frame);
      if (exception !== null) return chunks.fail(exception.type, exception.message);
      const said = jsonIn(frame.payload);
      return said === null ? null : chunks.push(frame.headers.get(':event-type') ?? '', said);
    },
    end: () => [],
  };
};

/** Anthropic's own events, each in a frame. */
const claudeTeller = (created: number): FrameTeller => {
  const chunks = new CompletionChunks(created);
  return {
    push: (frame) => {
      const exception = exceptionIn(frame);
      if (exception !== null)
        return chunks.push({ type: 'error', error: { type: 'api_error', message: exception.message || exception.type } });
      const said = jsonIn(frame.payload);
      if (!isRecord(said)) return null;
      const event = jsonIn(Buffer.from(textOf(said['bytes']), 'base64'));
      return event === null ? null : chunks.push(event);
    },
    end: () => chunks.end(),
  };
};

const NO_HEADERS: Readonly<Record<string, string>> = {};
const STREAM: Readonly<Record<string, string>> = { accept: 'application/vnd.amazon.eventstream' };

const NO_ACCESS = /access to the model|not authorized to perform: bedrock:Invoke/i;

const translation = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    const told = isClaude(upstreamModel)
      ? completionOf(said, createdAt)
      : converseCompletion(said, idAt(createdAt), createdAt, upstreamModel);
    return told ?? wordedError(502, said);
  },
  error: (status, body) => asJson(wordedError(status, jsonIn(body))),
  stream: () =>
    new FrameTranslation(isClaude(upstreamModel) ? claudeTeller(createdAt) : converseTeller(createdAt, upstreamModel), limits.eventBytes),
  // A key that may not use this model is good for others.
  statusOf: (status, body) => (status === 403 && NO_ACCESS.test(body.toString('utf8')) ? 404 : status),
});

/** Bedrock's Converse; Claude by InvokeModel, in Anthropic's format. */
export const bedrockUpstream: UpstreamDialect = {
  wantsPictures: () => true,
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, modelLimit, limits } = ask;
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Bedrock answer chats only.');
    const claude = isClaude(upstreamModel);
    const said = claude
      ? messagesBody(parsed.request, { upstreamModel, modelLimit, loweredOutput })
      : converseBody(parsed.request, loweredOutput);
    if (isRefusal(said)) return said;
    const { model: _model, stream: _stream, service_tier: _tier, ...body } = said;
    const streamed = parsed.request.stream === true;
    const verb = claude ? (streamed ? 'invoke-with-response-stream' : 'invoke') : streamed ? 'converse-stream' : 'converse';
    return {
      path: `/model/${encodeURIComponent(upstreamModel)}/${verb}`,
      headers: streamed ? STREAM : NO_HEADERS,
      body: asJson(claude ? { anthropic_version: INVOKE_VERSION, ...body } : said),
      interpreter: (listener) => new TranslatedAnswer(translation(ask), streamed, limits, listener),
    };
  },
};
