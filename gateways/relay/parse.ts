import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { refuse, type Refusal } from '../../schemas/errors.ts';
import { ChatRequest } from '../../schemas/openai/chat-request.ts';
import { EmbeddingsRequest } from '../../schemas/openai/embeddings-request.ts';
import { scanObject, type Span } from './json-spans.ts';
import type { RelayLimits } from './relay-limits.ts';

/** The members that may have to be changed in the raw bytes on the way to the upstream. */
const CHAT_MEMBERS = [
  'model',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'messages',
  'service_tier',
  'tools',
  'modalities',
] as const;
const EMBEDDINGS_MEMBERS = ['model', 'input', 'encoding_format', 'dimensions'] as const;

/** A body as raw bytes, as a parsed value, and where in the bytes the members are that we may change. */
export interface ParsedChat {
  readonly endpoint: 'chat';
  readonly body: Buffer;
  readonly request: ChatRequest;
  readonly spans: {
    readonly model: Span;
    readonly streamOptions: Span | null;
    readonly maxTokens: Span | null;
    readonly maxCompletionTokens: Span | null;
  };
  /** Where a member can be put in. */
  readonly inside: number;
}

export interface ParsedEmbeddings {
  readonly endpoint: 'embeddings';
  readonly body: Buffer;
  readonly request: EmbeddingsRequest;
  readonly spans: { readonly model: Span };
  readonly inside: number;
}

export type ParsedRequest = ParsedChat | ParsedEmbeddings;

/** Tiers that an upstream bills at another price than the list's. */
const UNPRICED_TIERS: ReadonlySet<string> = new Set(['priority', 'scale', 'fast']);

/** Names the first field that is not as it should be. */
export const firstIssue = (error: z.ZodError): Refusal => {
  const issue = error.issues[0];
  const param = issue?.path.join('.') ?? '';
  const message = issue?.message ?? 'not valid';
  return param === ''
    ? refuse('invalid_request', `The body is not valid: ${message}.`)
    : refuse('invalid_request', `${param}: ${message}.`, { param });
};

export interface Read {
  readonly value: unknown;
  readonly spans: readonly (Span | null)[];
  readonly inside: number;
}

/** JSON that every parser reads in the same way: what we charge for must be what the upstream does. */
export const readObject = (
  body: Buffer,
  members: readonly string[],
  limits: Pick<RelayLimits, 'jsonDepth' | 'jsonMembers'>,
): Read | Refusal => {
  if (body.length === 0) return refuse('invalid_json', 'The body is empty.');
  if (!isUtf8(body)) return refuse('invalid_json', 'The body is not valid UTF-8.');
  const scan = scanObject(body, members, { strict: { depth: limits.jsonDepth, members: limits.jsonMembers } });
  if (scan.tooDeep) return refuse('invalid_json', `The body is nested deeper than ${limits.jsonDepth} levels.`);
  if (scan.tooMany) return refuse('invalid_json', `The body has more than ${limits.jsonMembers} fields.`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    // The parser's sentence quotes the body; a position says as much and repeats nothing.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    return refuse(
      'invalid_json',
      position === undefined ? undefined : `The body is not valid JSON: there is a mistake at position ${position}.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid_request', 'The body must be a JSON object.');
  if (scan.repeated !== null)
    return refuse('invalid_json', `The field "${scan.repeated.slice(0, 64)}" is there twice.`, { param: scan.repeated.slice(0, 64) });
  if (scan.disguised !== null) {
    return refuse('invalid_request', `The field "${scan.disguised.slice(0, 64)}" is known in lower case only.`, {
      param: scan.disguised.slice(0, 64),
    });
  }
  return { value, spans: scan.spans, inside: scan.inside };
};

const parseChat = (body: Buffer, limits: RelayLimits): ParsedChat | Refusal => {
  const read = readObject(body, CHAT_MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = ChatRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  const request = parsed.data;
  if (request.service_tier !== undefined && request.service_tier !== null && UNPRICED_TIERS.has(request.service_tier)) {
    return refuse(
      'invalid_request',
      `The service tier "${request.service_tier}" has no price here; leave service_tier out, or send "auto", "default" or "flex".`,
      { param: 'service_tier' },
    );
  }
  const [model, , streamOptions, maxTokens, maxCompletionTokens] = read.spans as [Span, Span | null, Span | null, Span | null, Span | null];
  return { endpoint: 'chat', body, request, spans: { model, streamOptions, maxTokens, maxCompletionTokens }, inside: read.inside };
};

const parseEmbeddings = (body: Buffer, limits: RelayLimits): ParsedEmbeddings | Refusal => {
  const read = readObject(body, EMBEDDINGS_MEMBERS, limits);
  if ('refused' in read) return read;
  const parsed = EmbeddingsRequest.safeParse(read.value);
  if (!parsed.success) return firstIssue(parsed.error);
  return { endpoint: 'embeddings', body, request: parsed.data, spans: { model: read.spans[0] as Span }, inside: read.inside };
};

/** The request once, at the edge. Only what decides about routing and money is looked at; the rest is the upstream's business. */
export const parse = (body: Buffer, endpoint: 'chat' | 'embeddings', limits: RelayLimits): ParsedRequest | Refusal =>
  endpoint === 'chat' ? parseChat(body, limits) : parseEmbeddings(body, limits);
