import { CLAUDE_REASONING } from '../anthropic/claude-reasoning.ts';
import { chatUsage } from '../anthropic/reported-usage.ts';
import { reasoningDetail, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** Why an answer of Converse's ended, in OpenAI's words. */
export const converseFinish = (reason: unknown): string => {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    case 'content_filtered':
    case 'guardrail_intervened':
      return 'content_filter';
    default:
      return 'stop';
  }
};

/** Usage in OpenAI's form; `null` where there is none. Its classes of input do not include each other, as Anthropic's do not. */
export const converseUsage = (usage: unknown): Json | null => {
  if (!isRecord(usage)) return null;
  const { inputTokens, outputTokens, cacheReadInputTokens, cacheWriteInputTokens, cacheDetails } = usage;
  const long = (Array.isArray(cacheDetails) ? (cacheDetails as readonly unknown[]) : []).find(
    (one) => isRecord(one) && one['ttl'] === '1h',
  );
  return chatUsage({
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_read_input_tokens: cacheReadInputTokens,
    cache_creation_input_tokens: cacheWriteInputTokens,
    ...(isRecord(long) ? { cache_creation: { ephemeral_1h_input_tokens: long['inputTokens'] } } : {}),
  });
};

/** A block of an answer. */
const readBlock = (block: Json): { readonly text: string; readonly thought: string; readonly detail: ReasoningDetail | null } => {
  const reasoning = isRecord(block['reasoningContent']) ? block['reasoningContent'] : {};
  const thought = isRecord(reasoning['reasoningText']) ? reasoning['reasoningText'] : {};
  const signature = textOf(thought['signature']);
  const hidden = textOf(reasoning['redactedContent']);
  const told = textOf(thought['text']);
  return {
    text: textOf(block['text']),
    thought: told,
    detail:
      signature !== ''
        ? { kind: 'text', text: told, signature, format: CLAUDE_REASONING }
        : hidden === ''
          ? null
          : { kind: 'encrypted', data: hidden, format: CLAUDE_REASONING },
  };
};

/** An answer of Converse's as one of OpenAI's chat completions; `null` for what is none. */
export const converseCompletion = (answer: unknown, id: string, created: number, model: string): Json | null => {
  const output = isRecord(answer) && isRecord(answer['output']) ? answer['output'] : {};
  const message = output['message'];
  if (!isRecord(answer) || !isRecord(message) || !Array.isArray(message['content'])) return null;
  const blocks = (message['content'] as readonly unknown[]).filter(isRecord);
  const read = blocks.map(readBlock);
  const text = read.map((block) => block.text).join('');
  const thought = read.map((block) => block.thought).join('');
  const details = read.flatMap(({ detail }) => (detail === null ? [] : [detail]));
  const calls = blocks.flatMap(({ toolUse }) =>
    isRecord(toolUse)
      ? [
          {
            id: toolUse['toolUseId'],
            type: 'function',
            function: { name: toolUse['name'], arguments: JSON.stringify(toolUse['input'] ?? {}) },
          },
        ]
      : [],
  );
  const usage = converseUsage(answer['usage']);
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && calls.length > 0 ? null : text,
          refusal: null,
          ...(thought === '' ? {} : { reasoning_content: thought }),
          ...(details.length === 0 ? {} : { reasoning_details: details.map(reasoningDetail) }),
          ...(calls.length === 0 ? {} : { tool_calls: calls }),
        },
        logprobs: null,
        finish_reason: converseFinish(answer['stopReason']),
      },
    ],
    ...(usage === null ? {} : { usage }),
  };
};
