import { wordedError } from '../../../domain/dialects/openai/worded-error.ts';
import { replicateChatInput } from '../../../domain/dialects/replicate/chat-input.ts';
import { replicateImagesInput } from '../../../domain/dialects/replicate/images-input.ts';
import { replicatePath } from '../../../domain/dialects/replicate/model-path.ts';
import { predictedImages, predictionError, PredictionChunks, unendedPrediction } from '../../../domain/dialects/replicate/prediction.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { WorkTalk } from '../../ports/upstream.ts';
import { EventTranslation } from './event-translation.ts';
import { asJson, jsonIn } from './json-bytes.ts';
import { toldWhole } from './told-whole.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, UpstreamDialect } from './upstream-dialect.ts';

/** Held open until the prediction has ended, or for as long as Replicate does that; then it is looked at. */
const WAIT: Readonly<Record<string, string>> = { prefer: 'wait=60' };
const NO_HEADERS: Readonly<Record<string, string>> = {};

/** Where Replicate has its streams. */
const EVENT_HOSTS = /^(?:[a-z0-9-]+\.)*replicate\.(?:com|net)$/;
const LAST_EVENTS: ReadonlySet<string> = new Set(['done', 'error']);

const underWay: WorkTalk['underWay'] = (body) => {
  const prediction = unendedPrediction(jsonIn(body));
  if (prediction === null) return null;
  const lookAt = `/predictions/${prediction.id}`;
  return { lookAt, cancelAt: `${lookAt}/cancel`, eventsAt: prediction.events };
};

const translation = ({ parsed, upstreamModel, createdAt, limits }: Ask): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    const told =
      parsed.endpoint === 'images'
        ? predictedImages(said, createdAt)
        : toldWhole(new PredictionChunks(createdAt, upstreamModel), { event: 'work', data: said });
    return told ?? wordedError(502, said);
  },
  error: (status, body) => {
    const said = jsonIn(body);
    return asJson(wordedError(status, status === 502 ? (predictionError(said) ?? said) : said));
  },
  statusOf: (status, body) => (status >= 400 ? status : (predictionError(jsonIn(body))?.status ?? status)),
  stream: () => new EventTranslation(new PredictionChunks(createdAt, upstreamModel), limits.eventBytes),
});

const inputOf = ({ parsed, upstreamModel, loweredOutput }: Ask): object | Refusal => {
  if (parsed.endpoint === 'chat') return replicateChatInput(parsed.request, upstreamModel, loweredOutput);
  if (parsed.endpoint === 'images') return replicateImagesInput(parsed.request);
  return refuse('invalid_request', 'Models on Replicate answer chats and make pictures only.');
};

/** Replicate’s predictions. */
export const replicateUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { parsed, upstreamModel, limits } = ask;
    const at = replicatePath(upstreamModel);
    if (at === null) return refuse('invalid_request', 'On Replicate a model is owner/name, with a version if need be.', { param: 'model' });
    const input = inputOf(ask);
    if (isRefusal(input)) return input;
    const streamed = parsed.endpoint === 'chat' && parsed.request.stream === true;
    return {
      path: at.path,
      headers: streamed ? NO_HEADERS : WAIT,
      body: asJson({ ...(at.version === null ? {} : { version: at.version }), input, ...(streamed ? { stream: true } : {}) }),
      work: {
        wantsEvents: streamed,
        answerBytes: limits.answerBytes,
        eventBytes: limits.eventBytes,
        underWay,
        eventHosts: EVENT_HOSTS,
        lastEvents: LAST_EVENTS,
      },
      interpreter: (listener) => new TranslatedAnswer(translation(ask), streamed, limits, listener),
    };
  },
};
