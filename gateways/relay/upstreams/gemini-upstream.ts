import { wholeOfChunks } from '../../../domain/dialects/chat/whole-of-chunks.ts';
import { CompletionChunks } from '../../../domain/dialects/gemini/completion-chunks.ts';
import { embedBody, embeddingsOf } from '../../../domain/dialects/gemini/embed-body.ts';
import { generateBody } from '../../../domain/dialects/gemini/generate-body.ts';
import { saidError } from '../../../domain/dialects/gemini/said-error.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { parsedJson } from '../dialects/parsed-json.ts';
import { EventTranslation } from './event-translation.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

const NO_HEADERS = {} as const;

const jsonOf = (body: Buffer): unknown => parsedJson(body.toString('utf8'));

const asBuffer = (value: object): Buffer => Buffer.from(JSON.stringify(value));

/** A model as Google's paths name it; tuned models bring the name of their collection. */
const resourceOf = (upstreamModel: string): string => (upstreamModel.includes('/') ? upstreamModel : `models/${upstreamModel}`);

const errors: Pick<Translation, 'error' | 'statusOf' | 'headersOf'> = {
  error: (status, body) => asBuffer(saidError(status, jsonOf(body)).body),
  statusOf: (status, body) => (status === 400 ? saidError(status, jsonOf(body)).status : status),
  headersOf: (status, body) => {
    const wait = status === 429 ? saidError(status, jsonOf(body)).wait : null;
    return wait === null ? NO_HEADERS : { 'retry-after': String(wait) };
  },
};

const generated = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  ...errors,
  answer: (body) => {
    const said = jsonOf(body);
    const teller = new CompletionChunks(upstreamModel, createdAt);
    return asBuffer(wholeOfChunks([...teller.push(said), ...teller.end()]) ?? saidError(500, said).body);
  },
  stream: () => new EventTranslation(new CompletionChunks(upstreamModel, createdAt), limits.eventBytes),
});

const embedded = (ask: Ask): Translation => ({
  ...generated(ask),
  answer: (body) => {
    const said = jsonOf(body);
    return asBuffer(embeddingsOf(said, ask.upstreamModel) ?? saidError(500, said).body);
  },
});

/** Gemini's generateContent and its embeddings. */
export const geminiUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, loweredOutput, limits } = ask;
    const resource = resourceOf(upstreamModel);
    const path = `/${encodeURI(resource)}`;
    if (parsed.endpoint === 'embeddings') {
      const body = embedBody(parsed.request, resource);
      if (isRefusal(body)) return body;
      return {
        path: `${path}:batchEmbedContents`,
        headers: NO_HEADERS,
        body: asBuffer(body),
        interpreter: (listener) => new TranslatedAnswer(embedded(ask), false, limits, listener),
      };
    }
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Gemini’s format answer chats and embed texts only.');
    const body = generateBody(parsed.request, { upstreamModel, loweredOutput });
    if (isRefusal(body)) return body;
    const streamed = parsed.request.stream === true;
    return {
      path: streamed ? `${path}:streamGenerateContent?alt=sse` : `${path}:generateContent`,
      headers: NO_HEADERS,
      body: asBuffer(body),
      interpreter: (listener) => new TranslatedAnswer(generated(ask), streamed, limits, listener),
    };
  },
};
