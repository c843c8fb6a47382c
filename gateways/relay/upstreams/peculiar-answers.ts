import { baseRespError, type BaseRespError } from '../../../domain/dialects/openai/base-resp.ts';
import { withKnownReasons } from '../../../domain/dialects/openai/finish-reasons.ts';
import type { ProviderQuirks } from '../../../domain/providers/provider-quirks.ts';
import { dataOf, EventSplitter, forEachEvent } from '../sse.ts';
import { GARBLED, TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, Asked } from './upstream-dialect.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const BASE_RESP = Buffer.from('"base_resp"');
const FINISH_REASON = Buffer.from('"finish_reason"');

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
};

const errorJson = ({ message, code }: BaseRespError): string =>
  JSON.stringify({ error: { message, type: code === 'content_filter' ? 'invalid_request_error' : 'upstream_error', param: null, code } });

const peculiarities = ({ finishReasons, errorsInSuccess }: ProviderQuirks, largestEvent: number): Translation => {
  const errorIn = (bytes: Buffer, json: () => string | null): BaseRespError | null => {
    if (errorsInSuccess === undefined || !bytes.includes(BASE_RESP)) return null;
    const text = json();
    return text === null ? null : baseRespError(parsed(text));
  };
  const errorOfBody = (body: Buffer): BaseRespError | null => errorIn(body, () => body.toString('utf8'));
  const known = (bytes: Buffer): Buffer =>
    finishReasons === undefined || !bytes.includes(FINISH_REASON)
      ? bytes
      : Buffer.from(withKnownReasons(bytes.toString('utf8'), finishReasons));
  const event = (bytes: Buffer): Buffer => {
    const error = errorIn(bytes, () => dataOf(bytes));
    return error === null ? known(bytes) : Buffer.from(`data: ${errorJson(error)}\n\n`);
  };
  return {
    answer: known,
    error: (_status, body) => {
      const error = errorOfBody(body);
      return error === null ? body : Buffer.from(errorJson(error));
    },
    statusOf: (status, body) => (status >= 400 ? status : (errorOfBody(body)?.status ?? status)),
    stream: () => {
      const splitter = new EventSplitter(largestEvent);
      return {
        push: (piece) => {
          const events = splitter.push(piece);
          if (events === null) return NOTHING;
          if (events === 'overflow') return GARBLED;
          const told: Buffer[] = [];
          forEachEvent(events, (each) => told.push(event(each)));
          return told.length === 1 ? (told[0] as Buffer) : Buffer.concat(told);
        },
        end: () => {
          const rest = splitter.rest();
          return rest.length === 0 ? rest : event(rest);
        },
      };
    },
  };
};

/** Hears a provider that speaks OpenAI's format in a way of its own; `null` where its answers are like everybody's. */
export const peculiarAnswers = (
  quirks: ProviderQuirks,
  { parsed: { endpoint, request }, limits }: Pick<Ask, 'parsed' | 'limits'>,
): Asked['interpreter'] => {
  if (quirks.finishReasons === undefined && quirks.errorsInSuccess === undefined) return null;
  if (endpoint !== 'chat' && quirks.errorsInSuccess === undefined) return null;
  const streamed = 'stream' in request && request.stream === true;
  return (listener) => new TranslatedAnswer(peculiarities(quirks, limits.eventBytes), streamed, limits, listener);
};
