import { isRecord, textOf } from '../../../domain/dialects/loose-json.ts';
import { errorTable, type Refusal } from '../../../schemas/errors.ts';
import type { AnswerDialect } from './answer-dialect.ts';
import { openaiAnswers } from './openai-answers.ts';
import { parsedJson } from './parsed-json.ts';

/** An upstream's error in OpenAI's shape, as a sentence. */
const sentenceIn = (body: Buffer): string => {
  const said = parsedJson(body.toString('utf8'));
  const error = isRecord(said) && isRecord(said['error']) ? said['error'] : {};
  return textOf(error['message']) || 'The upstream refused the request.';
};

/** Kling's number for what went wrong. */
const klingCode = (status: number, isMoney: boolean): number => {
  if (isMoney) return 1102;
  if (status === 401) return 1000;
  if (status === 403) return 1103;
  if (status === 404) return 1203;
  if (status === 429) return 1302;
  return status < 500 ? 1201 : 5000;
};

const isAboutMoney = ({ refused }: Refusal): boolean => errorTable[refused].type === 'insufficient_quota';

/** Errors as Kling says them. */
export const klingAnswers: AnswerDialect = {
  ...openaiAnswers,
  errorBody: (refusal, requestId) =>
    JSON.stringify({
      code: klingCode(errorTable[refusal.refused].status, isAboutMoney(refusal)),
      message: refusal.message,
      request_id: requestId,
    }),
  passedError: (status, body, requestId) =>
    Buffer.from(JSON.stringify({ code: klingCode(status, false), message: sentenceIn(body), request_id: requestId })),
};

/** Errors as gateways of Suno say them. */
export const sunoAnswers: AnswerDialect = {
  ...openaiAnswers,
  errorBody: ({ refused, message }) => JSON.stringify({ code: refused, message, data: null }),
  passedError: (_status, body) => Buffer.from(JSON.stringify({ code: 'upstream_refused', message: sentenceIn(body), data: null })),
};

/** Errors as the proxy of Midjourney says them. */
export const midjourneyAnswers: AnswerDialect = {
  ...openaiAnswers,
  errorBody: ({ refused, message }) => JSON.stringify({ code: 4, description: message, type: refused, result: null }),
  passedError: (_status, body) =>
    Buffer.from(JSON.stringify({ code: 4, description: sentenceIn(body), type: 'upstream_refused', result: null })),
};
