import { Chunks } from '../chat/chunks.ts';
import { reasoningDetail } from '../chat/reasoning-details.ts';
import type { Teller, Told } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { GEMINI_REASONING } from './contents.ts';
import { billedSearches, chatUsage } from './reported-usage.ts';
import { saidError } from './said-error.ts';

type Json = Readonly<Record<string, unknown>>;

const FILTERED: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** Turns in which functions are called end with `STOP` like all others. */
const finishReasonOf = (reason: string, hasCalled: boolean): string => {
  if (reason === 'MAX_TOKENS' || reason === 'CONTINUATION') return 'length';
  if (FILTERED.has(reason)) return 'content_filter';
  return hasCalled ? 'tool_calls' : 'stop';
};

/** One of the answers that are being written. */
interface Candidate {
  calls: number;
  details: number;
  textLength: number;
  isFinished: boolean;
}

/**
 * Responses of Google's generateContent, one or the parts of a stream, as chunks of OpenAI's chat completions. Every response may bring texts,
 * thoughts, whole calls, the reason for the end, and the usage so far, of which the last holds. Nothing says that a stream is over but its
 * end.
 */
export class CompletionChunks implements Teller {
  readonly #upstreamModel: string;
  readonly #created: number;
  readonly #chunks: Chunks;
  readonly #candidates = new Map<number, Candidate>();
  #usage: Json | null = null;
  #searches = 0;
  #isFiltered = false;

  /** `created` in seconds since the epoch. */
  constructor(upstreamModel: string, created: number) {
    this.#upstreamModel = upstreamModel;
    this.#created = created;
    this.#chunks = new Chunks('', created, '');
  }

  push(response: unknown): readonly Told[] {
    if (!isRecord(response)) return [];
    if (isRecord(response['error'])) return [{ chunk: saidError(500, response).body }];
    if (this.#chunks.id === '') this.#chunks.id = `chatcmpl-${textOf(response['responseId'])}`;
    if (textOf(response['modelVersion']) !== '') this.#chunks.model = textOf(response['modelVersion']);
    const told: Told[] = [];
    const given: readonly unknown[] = Array.isArray(response['candidates']) ? response['candidates'] : [];
    for (const candidate of given) if (isRecord(candidate)) this.#candidate(candidate, told);
    this.#feedback(response['promptFeedback'], told);
    this.#searches = Math.max(this.#searches, billedSearches(response, this.#upstreamModel));
    if (isRecord(response['usageMetadata'])) this.#usage = response['usageMetadata'];
    if (this.#isOver() && this.#usage !== null) told.push(this.#chunks.usage(chatUsage(this.#usage, this.#searches)));
    return told.length === 0 ? ['alive'] : told;
  }

  end(): readonly Told[] {
    return this.#isOver() ? ['done'] : [];
  }

  usageSoFar(): Json | null {
    return this.#usage === null ? null : chatUsage(this.#usage, this.#searches);
  }

  #isOver(): boolean {
    return this.#candidates.size > 0 && [...this.#candidates.values()].every(({ isFinished }) => isFinished);
  }

  #candidate(said: Json, told: Told[]): void {
    const index = typeof said['index'] === 'number' ? said['index'] : 0;
    const candidate = this.#known(index, told);
    const content = isRecord(said['content']) ? said['content'] : {};
    for (const part of Array.isArray(content['parts']) ? (content['parts'] as readonly unknown[]) : [])
      if (isRecord(part)) this.#part(part, index, candidate, told);
    this.#grounding(said['groundingMetadata'], index, candidate, told);
    const reason = textOf(said['finishReason']);
    if (reason === '' || reason === 'FINISH_REASON_UNSPECIFIED' || candidate.isFinished) return;
    candidate.isFinished = true;
    told.push(this.#chunks.delta({}, finishReasonOf(reason, candidate.calls > 0), index));
  }

  #known(index: number, told: Told[]): Candidate {
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) {
      candidate = { calls: 0, details: 0, textLength: 0, isFinished: false };
      this.#candidates.set(index, candidate);
      told.push(this.#chunks.delta({ role: 'assistant', content: '' }, null, index));
    }
    return candidate;
  }

  #part(part: Json, index: number, candidate: Candidate, told: Told[]): void {
    const text = textOf(part['text']);
    const signature = textOf(part['thoughtSignature']);
    if (isRecord(part['functionCall'])) return this.#call(part['functionCall'], signature, index, candidate, told);
    if (text !== '') {
      if (part['thought'] === true) told.push(this.#chunks.delta({ reasoning_content: text }, null, index));
      else {
        candidate.textLength += text.length;
        told.push(this.#chunks.delta({ content: text }, null, index));
      }
    }
    if (isRecord(part['inlineData'])) {
      const { mimeType, data } = part['inlineData'];
      const url = `data:${textOf(mimeType)};base64,${textOf(data)}`;
      told.push(this.#chunks.delta({ images: [{ type: 'image_url', image_url: { url } }] }, null, index));
    }
    if (signature === '') return;
    const detail = reasoningDetail({ kind: 'encrypted', data: signature, format: GEMINI_REASONING }, candidate.details++);
    told.push(this.#chunks.delta({ reasoning_details: [detail] }, null, index));
  }

  #call(call: Json, signature: string, index: number, candidate: Candidate, told: Told[]): void {
    const at = candidate.calls++;
    // Ids are told apart across the turns of a conversation, so that a made one has the response's in it.
    const id =
      textOf(call['id']) ||
      `call_${this.#chunks.id.slice('chatcmpl-'.length).replace(/[^a-zA-Z0-9_-]/g, '_')}_${this.#created}_${index}_${at}`;
    const said = {
      index: at,
      id,
      type: 'function',
      function: { name: textOf(call['name']), arguments: JSON.stringify(call['args'] ?? {}) },
      ...(signature === '' ? {} : { extra_content: { google: { thought_signature: signature } } }),
    };
    told.push(this.#chunks.delta({ tool_calls: [said] }, null, index));
  }

  /** Where an answer was found by searching: its sources, each for all of the answer. */
  #grounding(metadata: unknown, index: number, candidate: Candidate, told: Told[]): void {
    if (!isRecord(metadata)) return;
    const annotations: Json[] = [];
    for (const chunk of Array.isArray(metadata['groundingChunks']) ? (metadata['groundingChunks'] as readonly unknown[]) : []) {
      const web = isRecord(chunk) && isRecord(chunk['web']) ? chunk['web'] : null;
      if (web === null) continue;
      const { uri: url, title } = web;
      annotations.push({
        type: 'url_citation',
        url_citation: { url: textOf(url), title: textOf(title), start_index: 0, end_index: candidate.textLength },
      });
    }
    if (annotations.length > 0) told.push(this.#chunks.delta({ annotations }, null, index));
  }

  /** A prompt that was blocked has no candidates: it is an answer that says so. */
  #feedback(feedback: unknown, told: Told[]): void {
    const reason = isRecord(feedback) ? textOf(feedback['blockReason']) : '';
    if (reason === '' || this.#candidates.size > 0 || this.#isFiltered) return;
    this.#isFiltered = true;
    const candidate = this.#known(0, told);
    candidate.isFinished = true;
    told.push(this.#chunks.delta({ refusal: `The prompt was blocked (${reason}).` }, null, 0), this.#chunks.delta({}, 'content_filter', 0));
  }
}
