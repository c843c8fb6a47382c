import type { ParsedChat } from './chat.ts';
import type { ParsedCompletion } from './completions.ts';
import type { ParsedEmbeddings } from './embeddings.ts';
import type { ParsedModeration } from './moderations.ts';
import type { ParsedRerank } from './rerank.ts';

/** A request as raw bytes, as a parsed value, and where in the bytes the members are that we may change. */
export type ParsedRequest = ParsedChat | ParsedEmbeddings | ParsedCompletion | ParsedModeration | ParsedRerank;
