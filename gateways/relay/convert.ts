import { outputLimitField } from '../../domain/relay/output-limit-field.ts';
import type { Endpoint } from './call.ts';
import type { HubAnswer } from './hub-answer.ts';
import { scanObject, splice, type Edit, type Span } from './json-spans.ts';

/** What must differ between what the client sent and what the upstream gets. */
export interface Conversion {
  readonly upstreamModel: string;
  /** Most output tokens per choice; `null` leaves the caller's own limit. */
  readonly loweredOutput: number | null;
}

/** A request in JSON that names its model, or leaves that to its format (`null`). */
interface JsonRequest {
  readonly endpoint: Endpoint;
  readonly body: Buffer;
  readonly request: { readonly model: string };
  readonly spans: { readonly model: Span | null };
  /** Where a member can be put in. */
  readonly inside: number;
}

/** One for text that is written token by token. */
interface TextRequest extends JsonRequest {
  readonly request: {
    readonly model: string;
    readonly stream?: boolean | null | undefined;
    readonly stream_options?: { readonly include_usage?: boolean | null | undefined } | null | undefined;
    readonly max_tokens?: number | null | undefined;
    readonly max_completion_tokens?: number | null | undefined;
  };
  readonly spans: {
    readonly model: Span;
    readonly streamOptions: Span | null;
    readonly maxTokens: Span | null;
    readonly maxCompletionTokens: Span | null;
  };
}

/** Usage is always asked of the upstream: it is what the call is charged by. */
const askForUsage = ({ body, request, spans, inside }: TextRequest): Edit | null => {
  if (request.stream !== true || request.stream_options?.include_usage === true) return null;
  const { streamOptions } = spans;
  if (streamOptions === null) return { start: inside, end: inside, text: '"stream_options":{"include_usage":true},' };
  if (request.stream_options === null || request.stream_options === undefined) return { ...streamOptions, text: '{"include_usage":true}' };
  const nested = scanObject(body, ['include_usage'], { from: streamOptions.start });
  const asked = nested.spans[0];
  if (asked !== null && asked !== undefined) return { ...asked, text: 'true' };
  const empty = Object.keys(request.stream_options).length === 0;
  return { start: nested.inside, end: nested.inside, text: empty ? '"include_usage":true' : '"include_usage":true,' };
};

const lowerOutput = ({ endpoint, request, spans, inside }: TextRequest, { upstreamModel, loweredOutput }: Conversion): readonly Edit[] => {
  if (loweredOutput === null) return [];
  const edits: Edit[] = [];
  const limits = [
    [spans.maxTokens, request.max_tokens],
    [spans.maxCompletionTokens, request.max_completion_tokens],
  ] as const;
  for (const [span, value] of limits) {
    if (span !== null && typeof value === 'number') edits.push({ ...span, text: String(Math.min(value, loweredOutput)) });
  }
  if (edits.length > 0) return edits;
  const field = endpoint === 'chat' ? outputLimitField(upstreamModel) : 'max_tokens';
  // A limit that is there but null is filled in: a second member of its name would be one too many.
  const empty = field === 'max_tokens' ? spans.maxTokens : spans.maxCompletionTokens;
  return [
    empty === null ? { start: inside, end: inside, text: `"${field}":${loweredOutput},` } : { ...empty, text: String(loweredOutput) },
  ];
};

const writesText = (parsed: JsonRequest): parsed is TextRequest => parsed.endpoint === 'chat' || parsed.endpoint === 'completions';

/** The body as the upstream gets it: the client's own bytes, but for the few that must differ. */
export const convertRequest = (parsed: JsonRequest, conversion: Conversion): Buffer => {
  const { body, request, spans, inside } = parsed;
  const edits: Edit[] = [];
  const name = JSON.stringify(conversion.upstreamModel);
  if (spans.model === null) edits.push({ start: inside, end: inside, text: `"model":${name},` });
  else if (conversion.upstreamModel !== request.model) edits.push({ ...spans.model, text: name });
  if (writesText(parsed)) {
    const usage = askForUsage(parsed);
    if (usage !== null) edits.push(usage);
    edits.push(...lowerOutput(parsed, conversion));
  }
  return splice(body, edits);
};

/** Gives an answer back the name that the client knows the model by. `at`: where its name is in the answer's bytes, if it is there. */
export const renameModel = (answer: HubAnswer, at: Span | null, model: string): HubAnswer => {
  if (!Buffer.isBuffer(answer)) return answer['model'] === undefined ? answer : { ...answer, model };
  return at === null ? answer : splice(answer, [{ ...at, text: JSON.stringify(model) }]);
};

const toBase64 = (vector: readonly unknown[]): string => {
  const floats = new Float32Array(vector.length);
  vector.forEach((value, index) => {
    floats[index] = typeof value === 'number' ? value : NaN;
  });
  return Buffer.from(floats.buffer).toString('base64');
};

const NAME = '"embedding"';

/** Whether the first vector is a list of numbers. The name of its member is also the value of another (`"object":"embedding"`). */
const beginsWithNumbers = (answer: Buffer, { start, end }: Span): boolean => {
  for (let at = answer.indexOf(NAME, start); at >= 0 && at < end; at = answer.indexOf(NAME, at + NAME.length)) {
    const behind = /^\s*:\s*(\S)/.exec(answer.toString('latin1', at + NAME.length, at + NAME.length + 64));
    if (behind !== null) return behind[1] === '[';
  }
  return false;
};

/**
 * An embeddings answer with vectors as base64 of little-endian float32. Official clients ask for that by default and read an
 * empty vector out of anything else, so an upstream that only knows numbers is helped out.
 */
export const vectorsAsBase64 = (answer: Buffer): Buffer => {
  const span = scanObject(answer, ['data']).spans[0];
  if (span === null || span === undefined) return answer;
  if (!beginsWithNumbers(answer, span)) return answer;
  const items = JSON.parse(answer.toString('utf8', span.start, span.end)) as unknown;
  if (!Array.isArray(items)) return answer;
  const data = items.map((item: unknown) => {
    const vector = typeof item === 'object' && item !== null && 'embedding' in item ? item.embedding : null;
    return Array.isArray(vector) ? { ...(item as object), embedding: toBase64(vector) } : item;
  });
  return splice(answer, [{ ...span, text: JSON.stringify(data) }]);
};
