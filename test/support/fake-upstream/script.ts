import { z } from 'zod';

const count = z.coerce.number().int().min(0);
const milliseconds = z.coerce.number().min(0);

/** How a call goes wrong. `after` counts the text chunks that a stream has sent by then. */
export const failureKinds = [
  /** An HTTP error of `status`, in OpenAI's error shape. */
  'status',
  /** The connection is reset before a single byte of the answer, or after `after` chunks. */
  'reset',
  /** The answer ends cleanly after `after` chunks: no finish reason, no `[DONE]`; a plain one ends in the middle of its JSON. */
  'end_early',
  /** Everything is sent but `[DONE]`. */
  'no_done',
  /** Bytes that are neither JSON nor server-sent events, after `after` chunks. */
  'garbage',
  /** `{"error": …}` under status 200: the whole of a plain answer, or an event after `after` chunks. */
  'error_in_200',
  /** Nothing more is ever sent, not even headers when `after` is not given. */
  'silence',
  /** One event of `bytes` bytes without a line end, after `after` chunks. */
  'huge_chunk',
] as const;

/** What a provider reports as usage. */
export const usageKinds = [
  /** As OpenAI does: in every plain answer, in a stream when `stream_options.include_usage` asks for it. */
  'asked',
  'always',
  'never',
  /** Strings, null and an object where numbers belong. */
  'not_a_number',
  /** The bare word `NaN`, which makes the whole chunk invalid JSON. */
  'literal_nan',
  'negative',
  'fractional',
  /** The total is not the sum. */
  'contradictory',
  /** More completion tokens than the call allowed. */
  'beyond_limit',
  /** Numbers that no integer type holds. */
  'astronomic',
] as const;

/**
 * Behaviour of the fake provider for one call. Everything has a default: 16 tokens at once, usage as OpenAI reports it, no failure.
 * Strict, so that a misspelt wish fails the test that made it.
 */
export const fakeScriptSchema = z
  .strictObject({
    /** Time until the first byte of the answer. */
    latency: milliseconds,
    /** Completion tokens per choice that the model would produce if `max_tokens` did not stop it. */
    tokens: count,
    /** Tokens of reasoning that precede them, billed as completion tokens and limited with them. */
    reasoning: count,
    /** Prompt tokens reported; counted from the request unless given. */
    prompt: count,
    /** Of the prompt tokens, how many are reported as cached. */
    cached: count,
    /** Tokens per stream chunk. */
    chunk: count.min(1),
    /** Time between stream chunks. */
    interval: milliseconds,
    /** Number of choices; the request's `n` unless given. */
    choices: count.min(1),
    /** Number of tool calls instead of text. */
    tools: count,
    usage: z.enum(usageKinds),
    fail: z.enum(failureKinds),
    /** The call fails only so many times, per model and key; then it goes well. */
    times: count,
    after: count,
    status: count,
    /** `Retry-After` of a failing status, in seconds. */
    retryAfter: count,
    /** Whether `Retry-After` is written as seconds or as an HTTP date. */
    retryAs: z.enum(['seconds', 'date']),
    /** `code` of the error object, where it is not to follow from the status. */
    code: z.string(),
    bytes: count,
    lineEnd: z.enum(['lf', 'crlf', 'cr']),
    /** Writes are cut into pieces of so many bytes, which cuts characters of more than one byte. */
    split: count.min(1),
    /** A comment line before every event, as a heartbeat. */
    comments: z.stringbool().or(z.boolean()),
    /** Sends status line and headers in pieces, this long apart, and the body at once. */
    slowHeaders: milliseconds,
    /** Compresses a plain answer with gzip and says so, asked or not. */
    gzip: z.stringbool().or(z.boolean()),
    /** Length of embedding vectors unless the request names one. */
    dimensions: count.min(1),
  })
  .partial();

export type FakeScript = z.infer<typeof fakeScriptSchema>;

const PREFIX = /^fake[/:]/;
const ofModel = new Map<string, FakeScript>();

/** `fake/tokens=100,interval=10,fail=reset,after=3` carries its script in its name; any other name carries none. */
export function scriptOfModelName(model: string): FakeScript {
  const known = ofModel.get(model);
  if (known !== undefined) return known;
  const directives = PREFIX.test(model) ? model.replace(PREFIX, '') : '';
  const entries = directives.split(',').filter((directive) => directive.includes('='));
  const script = fakeScriptSchema.parse(Object.fromEntries(entries.map((entry) => entry.split('=', 2) as [string, string])));
  if (ofModel.size < 1000) ofModel.set(model, script);
  return script;
}

/** The model name that carries a script, for a channel's model mapping. */
export function modelNamed(script: FakeScript): string {
  return `fake/${Object.entries(script)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')}`;
}
