import type { MessageEvent } from '../anthropic/message-stream.ts';
import type { MessagesUsage } from '../anthropic/usage.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const usageOf = (usage: MessagesUsage): Json => ({
  inputTokens: usage.input_tokens,
  outputTokens: usage.output_tokens,
  totalTokens: usage.input_tokens + usage.output_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
  cacheReadInputTokens: usage.cache_read_input_tokens,
  cacheWriteInputTokens: usage.cache_creation_input_tokens,
});

const stopReason = (reason: unknown): string => (reason === 'refusal' ? 'content_filtered' : textOf(reason));

const blockOf = (block: Json): Json => {
  switch (block['type']) {
    case 'thinking': {
      const signature = textOf(block['signature']);
      return { reasoningContent: { reasoningText: { text: block['thinking'], ...(signature === '' ? {} : { signature }) } } };
    }
    case 'redacted_thinking':
      return { reasoningContent: { redactedContent: block['data'] } };
    case 'tool_use':
      return { toolUse: { toolUseId: block['id'], name: block['name'], input: block['input'] } };
    default:
      return { text: block['text'] };
  }
};

/** A message of Anthropic's as an answer of Bedrock's Converse. */
export const converseAnswer = (message: Json, usage: MessagesUsage): Json => ({
  output: { message: { role: 'assistant', content: (message['content'] as readonly Json[]).map(blockOf) } },
  stopReason: stopReason(message['stop_reason']),
  usage: usageOf(usage),
  metrics: { latencyMs: 0 },
});

/** One event of ConverseStream. */
export interface ConverseEvent {
  readonly type: string;
  readonly payload: Json;
}

const deltaOf = (delta: Json): Json => {
  switch (delta['type']) {
    case 'text_delta':
      return { text: delta['text'] };
    case 'input_json_delta':
      return { toolUse: { input: delta['partial_json'] } };
    case 'signature_delta':
      return { reasoningContent: { signature: delta['signature'] } };
    default:
      return { reasoningContent: { text: delta['thinking'] } };
  }
};

/** An event of Anthropic's stream as those of ConverseStream: both keep the same order. */
export const converseEvents = (event: MessageEvent): readonly ConverseEvent[] => {
  const contentBlockIndex = event['index'];
  switch (event.type) {
    case 'message_start':
      return [{ type: 'messageStart', payload: { role: 'assistant' } }];
    case 'content_block_start': {
      const block = isRecord(event['content_block']) ? event['content_block'] : {};
      if (block['type'] === 'tool_use')
        return [
          {
            type: 'contentBlockStart',
            payload: { contentBlockIndex, start: { toolUse: { toolUseId: block['id'], name: block['name'] } } },
          },
        ];
      if (block['type'] !== 'redacted_thinking') return [];
      return [
        { type: 'contentBlockDelta', payload: { contentBlockIndex, delta: { reasoningContent: { redactedContent: block['data'] } } } },
      ];
    }
    case 'content_block_delta':
      return [
        {
          type: 'contentBlockDelta',
          payload: { contentBlockIndex, delta: deltaOf(isRecord(event['delta']) ? event['delta'] : {}) },
        },
      ];
    case 'content_block_stop':
      return [{ type: 'contentBlockStop', payload: { contentBlockIndex } }];
    case 'message_delta':
      return [
        { type: 'messageStop', payload: { stopReason: stopReason(isRecord(event['delta']) ? event['delta']['stop_reason'] : '') } },
        { type: 'metadata', payload: { usage: usageOf(event['usage'] as MessagesUsage), metrics: { latencyMs: 0 } } },
      ];
    default:
      return [];
  }
};
