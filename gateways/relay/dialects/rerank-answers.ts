import { isRecord } from '../../../domain/dialects/loose-json.ts';
import { promptTokensOf } from '../../../domain/pricing/cost.ts';
import { errorTable } from '../../../schemas/errors.ts';
import type { AnswerDialect } from './answer-dialect.ts';
import { openaiAnswers } from './openai-answers.ts';
import { parsedJson } from './parsed-json.ts';
import { saidByError } from './said-by-error.ts';

/** Cohere's clients read `message`, Jina's `detail`, everybody else's `error`. */
const errorIn = (error: object, message: string): string => JSON.stringify({ message, detail: message, error });

/** Answers of a rerank call, in which clients of Jina and of Cohere both find what they read: `usage` and `meta`, `id` and `model`. */
export const rerankAnswers: AnswerDialect = {
  ...openaiAnswers,
  name: 'cohere',
  errorBody: ({ refused, message, param }) =>
    errorIn({ message, type: errorTable[refused].type, param: param ?? null, code: refused }, message),
  passedError: (_status, body) => {
    const said = parsedJson(body.toString('utf8'));
    const error = isRecord(said) && isRecord(said['error']) ? said['error'] : (said as object);
    return Buffer.from(errorIn(error, saidByError(isRecord(said) ? (said['error'] ?? said) : said)));
  },
  answer: (said, usage, { requestId, model }) => {
    const answer = isRecord(said) ? said : {};
    const meta = isRecord(answer['meta']) ? answer['meta'] : {};
    const tokens = promptTokensOf(usage);
    return Buffer.from(
      JSON.stringify({
        ...answer,
        id: typeof answer['id'] === 'string' ? answer['id'] : requestId,
        model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
        meta: usage.call === undefined ? meta : { ...meta, billed_units: { search_units: usage.call } },
      }),
    );
  },
};
