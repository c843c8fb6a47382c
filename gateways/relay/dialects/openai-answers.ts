import { errorTable, type Refusal } from '../../../schemas/errors.ts';
import { EVENT_STREAM } from './event-stream.ts';
import type { AnswerDialect } from './answer-dialect.ts';

const errorBody = ({ refused, message, param }: Refusal): string =>
  JSON.stringify({ error: { message, type: errorTable[refused].type, param: param ?? null, code: refused } });

/** Answers as they are within the relay: the upstream's bytes pass through. */
export const openaiAnswers: AnswerDialect = {
  name: 'openai',
  requestIdHeaders: ['x-request-id'],
  errorBody,
  passedError: (_status, body) => body,
  answer: null,
  heartbeat: Buffer.from(': keep-alive\n\n'),
  streamType: EVENT_STREAM,
  streamWriter: () => null,
};
