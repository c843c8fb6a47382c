import type { FakeScript } from './script.ts';

/** Words of one to four bytes per character, so that cutting writes cuts characters. */
const WORDS = ['the ', 'ledger ', 'zählt ', 'every ', 'token ', '一笔 ', 'twice ', 'é ', 'never ', '🪙 ', 'and ', 'balances '];

const DEFAULT_TOKENS = 16;
const DEFAULT_DIMENSIONS = 8;

/** The tokens of an answer, one string each; the same for the same numbers, always. */
export function fakeTokens(count: number, choice: number = 0): string[] {
  return Array.from({ length: count }, (_, i) => WORDS[(i + choice) % WORDS.length] as string);
}

/** The whole text of an answer of so many tokens. */
export function fakeText(count: number, choice: number = 0): string {
  return fakeTokens(count, choice).join('');
}

/** A deterministic unit vector for an input. */
export function fakeEmbedding(input: string, dimensions: number = DEFAULT_DIMENSIONS): Float32Array {
  let hash = 0x811c9dc5;
  for (let i = 0; i < input.length; i += 1) hash = Math.imul(hash ^ input.charCodeAt(i), 0x01000193);
  const vector = new Float32Array(dimensions);
  let norm = 0;
  for (let i = 0; i < dimensions; i += 1) {
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) + i;
    const value = ((hash >>> 0) / 0xffffffff) * 2 - 1;
    vector[i] = value;
    norm += value * value;
  }
  const length = Math.sqrt(norm) || 1;
  return vector.map((value) => value / length);
}

/** A chat request as far as the fake provider reads it. */
export interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly n?: number;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly messages?: unknown;
}

/** What one chat call is answered with and billed for, before anything goes wrong. */
export interface ChatPlan {
  readonly promptTokens: number;
  readonly choices: number;
  /** Per choice, without reasoning. */
  readonly textTokens: number;
  readonly reasoningTokens: number;
  readonly limit: number | undefined;
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly tools: number;
}

function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + charactersIn(item), 0);
  if (typeof value === 'object' && value !== null) return Object.values(value).reduce((sum: number, item) => sum + charactersIn(item), 0);
  return 0;
}

/** Prompt tokens as this provider counts them: a quarter of the characters in it, rounded up, and at least one. */
export function fakePromptTokens(prompt: unknown): number {
  return Math.max(1, Math.ceil(charactersIn(prompt) / 4));
}

export function planChat(request: ChatRequest, script: FakeScript): ChatPlan {
  const limit = request.max_completion_tokens ?? request.max_tokens;
  const wishedReasoning = script.reasoning ?? 0;
  const wished = script.tokens ?? DEFAULT_TOKENS;
  const reasoningTokens = Math.min(wishedReasoning, limit ?? Infinity);
  const textTokens = Math.min(wished, (limit ?? Infinity) - reasoningTokens);
  const tools = script.tools ?? 0;
  const cut = textTokens + reasoningTokens < wished + wishedReasoning;
  return {
    promptTokens: script.prompt ?? fakePromptTokens(request.messages),
    choices: script.choices ?? request.n ?? 1,
    textTokens,
    reasoningTokens,
    limit,
    finish: cut ? 'length' : tools > 0 ? 'tool_calls' : 'stop',
    tools,
  };
}

/** The `usage` object of an answer as JSON text; `undefined` where it is left out. */
export function usageJson(kind: FakeScript['usage'], asked: boolean, plan: ChatPlan, script: FakeScript): string | undefined {
  const prompt = plan.promptTokens;
  const completion = plan.choices * (plan.textTokens + plan.reasoningTokens);
  const of = (prompt_tokens: unknown, completion_tokens: unknown, total_tokens: unknown): string =>
    JSON.stringify({ prompt_tokens, completion_tokens, total_tokens });
  switch (kind ?? 'asked') {
    case 'never':
      return undefined;
    case 'asked':
    case 'always':
      if (kind !== 'always' && !asked) return undefined;
      return JSON.stringify({
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
        prompt_tokens_details: { cached_tokens: script.cached ?? 0, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: plan.choices * plan.reasoningTokens, audio_tokens: 0 },
      });
    case 'not_a_number':
      return of('NaN', null, {});
    case 'literal_nan':
      return '{"prompt_tokens":NaN,"completion_tokens":NaN,"total_tokens":NaN}';
    case 'negative':
      return of(-prompt, -completion, -prompt - completion);
    case 'fractional':
      return of(prompt + 0.5, completion + 0.25, prompt + completion + 0.75);
    case 'contradictory':
      return of(prompt, completion, prompt + completion + 1000);
    case 'beyond_limit': {
      const beyond = (plan.limit ?? completion) * 10 + 1000;
      return of(prompt, beyond, prompt + beyond);
    }
    case 'astronomic':
      return of(1e300, 1e300, 2e300);
  }
}

const CREATED = 1_700_000_000;

function toolCall(id: string, index: number): { id: string; type: 'function'; function: { name: string; arguments: string } } {
  return {
    id: `${id}-tool-${index}`,
    type: 'function',
    function: { name: `look_up_${index}`, arguments: `{"page":${index},"motto":"一笔"}` },
  };
}

/** A plain answer's JSON. */
export function chatBody(id: string, model: string, plan: ChatPlan, usage: string | undefined): string {
  const choices = Array.from({ length: plan.choices }, (_, index) => ({
    index,
    message:
      plan.tools > 0
        ? { role: 'assistant', content: null, refusal: null, tool_calls: Array.from({ length: plan.tools }, (_tool, i) => toolCall(id, i)) }
        : { role: 'assistant', content: fakeText(plan.textTokens, index), refusal: null },
    logprobs: null,
    finish_reason: plan.finish,
  }));
  const head = JSON.stringify({ id, object: 'chat.completion', created: CREATED, model, choices, system_fingerprint: 'fp_fake' });
  return usage === undefined ? head : `${head.slice(0, -1)},"usage":${usage}}`;
}

/** One event of a stream and the completion tokens that the provider has produced once it is sent. */
export interface StreamPart {
  readonly data: string;
  /** Completion tokens carried by this part alone. */
  readonly tokens: number;
  /** Whether this part carries text, which is what a script's `after` counts. */
  readonly text: boolean;
}

/** All events of a streamed answer but the closing `[DONE]`. */
export function chatParts(
  id: string,
  model: string,
  plan: ChatPlan,
  usage: string | undefined,
  perChunk: number,
  nullUsage: boolean,
): StreamPart[] {
  const head = `{"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${CREATED},"model":${JSON.stringify(model)},"system_fingerprint":"fp_fake"`;
  const tail = nullUsage ? ',"usage":null}' : '}';
  const part = (index: number, delta: string, finish: string, tokens: number, text: boolean): StreamPart => ({
    data: `${head},"choices":[{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${finish}}]${tail}`,
    tokens,
    text,
  });
  const parts: StreamPart[] = [];
  for (let choice = 0; choice < plan.choices; choice += 1) {
    parts.push(part(choice, '{"role":"assistant","content":""}', 'null', plan.reasoningTokens, false));
  }
  if (plan.tools > 0) {
    for (let choice = 0; choice < plan.choices; choice += 1) {
      for (let i = 0; i < plan.tools; i += 1) {
        const call = toolCall(id, i);
        const half = Math.floor(call.function.arguments.length / 2);
        const opening = { tool_calls: [{ index: i, ...call, function: { name: call.function.name, arguments: '' } }] };
        parts.push(part(choice, JSON.stringify(opening), 'null', 0, true));
        for (const piece of [call.function.arguments.slice(0, half), call.function.arguments.slice(half)]) {
          parts.push(part(choice, JSON.stringify({ tool_calls: [{ index: i, function: { arguments: piece } }] }), 'null', 0, true));
        }
      }
      parts.push(part(choice, '{}', '"tool_calls"', plan.textTokens, false));
    }
  } else {
    const texts = Array.from({ length: plan.choices }, (_, choice) => fakeTokens(plan.textTokens, choice));
    for (let from = 0; from < plan.textTokens; from += perChunk) {
      for (const [choice, tokens] of texts.entries()) {
        const piece = tokens.slice(from, from + perChunk);
        parts.push(part(choice, `{"content":${JSON.stringify(piece.join(''))}}`, 'null', piece.length, true));
      }
    }
    for (let choice = 0; choice < plan.choices; choice += 1) parts.push(part(choice, '{}', `"${plan.finish}"`, 0, false));
  }
  if (usage !== undefined) parts.push({ data: `${head},"choices":[],"usage":${usage}}`, tokens: 0, text: false });
  return parts;
}
