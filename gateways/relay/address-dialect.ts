import type { Request } from 'express';
import { anthropicAnswers } from './dialects/anthropic-answers.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import { converseAnswers } from './dialects/converse-answers.ts';
import { geminiAnswers } from './dialects/gemini-answers.ts';
import { mistralAnswers } from './dialects/mistral-answers.ts';
import { ollamaAnswers } from './dialects/ollama-answers.ts';
import { openaiAnswers } from './dialects/openai-answers.ts';
import { rerankAnswers } from './dialects/rerank-answers.ts';
import { klingAnswers, midjourneyAnswers, sunoAnswers } from './dialects/task-answers.ts';
import { MESSAGES } from './spending-routes.ts';

const BY_PREFIX: readonly (readonly [prefix: string, dialect: AnswerDialect])[] = [
  ['/v1beta', geminiAnswers],
  ['/v2/', rerankAnswers],
  ['/ollama/', ollamaAnswers],
  ['/bedrock/', converseAnswers],
  ['/mistral/', mistralAnswers],
  ['/kling/', klingAnswers],
  ['/suno/', sunoAnswers],
  ['/mj/', midjourneyAnswers],
];

/** In whose form an address is answered. Those that both formats have are asked in that of the header which every client of Anthropic's sends. */
export const dialectOf = (req: Pick<Request, 'path' | 'headers'>): AnswerDialect => {
  for (const [prefix, dialect] of BY_PREFIX) if (req.path.startsWith(prefix)) return dialect;
  if (/^\/[\w-]+\/mj\//.test(req.path)) return midjourneyAnswers;
  return req.headers['anthropic-version'] !== undefined || req.path.startsWith(MESSAGES) ? anthropicAnswers : openaiAnswers;
};
