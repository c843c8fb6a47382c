import { vectorsOf } from '../../../domain/dialects/gemini/embeddings.ts';
import { promptTokensOf } from '../../../domain/pricing/cost.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { AnswerDialect } from './answer-dialect.ts';
import { geminiAnswers } from './gemini-answers.ts';

const answersWith = (form: (vectors: readonly object[]) => object): AnswerDialect => ({
  ...geminiAnswers,
  answer: (embeddings: unknown, usage: Usage) =>
    Buffer.from(JSON.stringify({ ...form(vectorsOf(embeddings)), usageMetadata: { promptTokenCount: promptTokensOf(usage) } })),
});

/** One content's vector in Gemini's form. */
export const geminiEmbedding: AnswerDialect = answersWith(([embedding]) => ({ embedding: embedding ?? {} }));
/** Many contents' vectors. */
export const geminiEmbeddings: AnswerDialect = answersWith((embeddings) => ({ embeddings }));
