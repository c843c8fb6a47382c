import { wholeOfChunks } from '../../../domain/dialects/chat/whole-of-chunks.ts';
import { CompletionChunks } from '../../../domain/dialects/gemini/completion-chunks.ts';
import { geminiTraits } from '../../../domain/dialects/gemini/gemini-traits.ts';
import { embedBody, embeddingsOf } from '../../../domain/dialects/gemini/embed-body.ts';
import { generateBody } from '../../../domain/dialects/gemini/generate-body.ts';
import { saidError } from '../../../domain/dialects/gemini/said-error.ts';
import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { isRefusal, refuse } from '../../../schemas/errors.ts';
import { geminiNative } from '../native/gemini-native.ts';
import type { NativeRequest } from '../native/native-request.ts';
import { EventTranslation } from './event-translation.ts';
import { geminiErrors } from './gemini-errors.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, Asked, UpstreamDialect } from './upstream-dialect.ts';

const NO_HEADERS = {} as const;

/** A model as Google's paths name it; tuned models bring the name of their collection. */
const resourceOf = (upstreamModel: string): string => (upstreamModel.includes('/') ? upstreamModel : `models/${upstreamModel}`);

const generated = ({ upstreamModel, createdAt, limits }: Ask): Translation => ({
  ...geminiErrors,
  answer: (body) => {
    const said = jsonIn(body);
    const teller = new CompletionChunks(upstreamModel, createdAt);
    return wholeOfChunks([...teller.push(said), ...teller.end()]) ?? saidError(500, said).body;
  },
  stream: () => new EventTranslation(new CompletionChunks(upstreamModel, createdAt), limits.eventBytes),
});

const embedded = (ask: Ask): Translation => ({
  ...generated(ask),
  answer: (body) => {
    const said = jsonIn(body);
    return embeddingsOf(said, ask.upstreamModel) ?? saidError(500, said).body;
  },
});

const lowered = ({ value, maxTokens }: NativeRequest, most: number): Buffer => {
  const generation = isRecord(value['generationConfig']) ? value['generationConfig'] : {};
  return asJson({ ...value, generationConfig: { ...generation, maxOutputTokens: Math.min(maxTokens ?? most, most) } });
};

const methodOf = (streamed: boolean): string => (streamed ? ':streamGenerateContent?alt=sse' : ':generateContent');

/** The client's own bytes; the model stands in the address. */
const askNatively = (native: NativeRequest, path: string, { upstreamModel, loweredOutput }: Ask): Asked => ({
  path: path + methodOf(native.streamed),
  headers: NO_HEADERS,
  body: loweredOutput === null ? native.body : lowered(native, loweredOutput),
  interpreter: null,
  native: geminiNative(upstreamModel, native.choices),
});

/** Gemini's generateContent and its embeddings. */
export const geminiUpstream: UpstreamDialect = {
  wantsPictures: (upstreamModel) => !geminiTraits(upstreamModel).readsAddresses,
  ask: (ask) => {
    const { parsed, native, upstreamModel, loweredOutput, limits } = ask;
    const resource = resourceOf(upstreamModel);
    const path = `/${encodeURI(resource)}`;
    if (native !== null) return askNatively(native, path, ask);
    if (parsed.endpoint === 'embeddings') {
      const body = embedBody(parsed.request, resource);
      if (isRefusal(body)) return body;
      return {
        path: `${path}:batchEmbedContents`,
        headers: NO_HEADERS,
        body: asJson(body),
        interpreter: (listener) => new TranslatedAnswer(embedded(ask), false, limits, listener),
      };
    }
    if (parsed.endpoint !== 'chat') return refuse('invalid_request', 'Models behind Gemini’s format answer chats and embed texts only.');
    const body = generateBody(parsed.request, { upstreamModel, loweredOutput });
    if (isRefusal(body)) return body;
    const streamed = parsed.request.stream === true;
    return {
      path: path + methodOf(streamed),
      headers: NO_HEADERS,
      body: asJson(body),
      interpreter: (listener) => new TranslatedAnswer(generated(ask), streamed, limits, listener),
    };
  },
};
