import type { MessageEvent } from '../anthropic/message-stream.ts';
import type { MessagesUsage } from '../anthropic/usage.ts';
import { isRecord } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const usageOf = (usage: MessagesUsage): Json => {
  const tokens = {
    input_tokens: usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens,
    output_tokens: usage.output_tokens,
  };
  return { billed_units: tokens, tokens, cached_tokens: usage.cache_read_input_tokens };
};

const finishReason = (reason: unknown): string => {
  switch (reason) {
    case 'max_tokens':
      return 'MAX_TOKENS';
    case 'tool_use':
      return 'TOOL_CALL';
    case 'refusal':
      return 'ERROR';
    default:
      return 'COMPLETE';
  }
};

/** A message of Anthropic's as an answer of Cohere's. */
export const cohereAnswer = (message: Json, usage: MessagesUsage): Json => {
  const blocks = message['content'] as readonly Json[];
  const content = blocks.flatMap(({ type, text, thinking }): readonly Json[] =>
    type === 'text' ? [{ type, text }] : type === 'thinking' ? [{ type, thinking }] : [],
  );
  const calls = blocks.flatMap(({ type, id, name, input }) =>
    type === 'tool_use' ? [{ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }] : [],
  );
  return {
    id: message['id'],
    finish_reason: finishReason(message['stop_reason']),
    message: { role: 'assistant', content, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
    usage: usageOf(usage),
  };
};

/** Events of Anthropic's stream as those of Cohere's: both tell one block after another. */
export class CohereEvents {
  #isCall = false;

  push(event: MessageEvent): readonly Json[] {
    const { index } = event;
    switch (event.type) {
      case 'message_start': {
        const id = isRecord(event['message']) ? event['message']['id'] : '';
        return [
          {
            id,
            type: 'message-start',
            delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
          },
        ];
      }
      case 'content_block_start': {
        const { type, id, name } = isRecord(event['content_block']) ? event['content_block'] : {};
        this.#isCall = type === 'tool_use';
        if (this.#isCall) {
          const call = { id, type: 'function', function: { name, arguments: '' } };
          return [{ type: 'tool-call-start', index, delta: { message: { tool_calls: call } } }];
        }
        const content = type === 'text' ? { type, text: '' } : { type: 'thinking', thinking: '' };
        return [{ type: 'content-start', index, delta: { message: { content } } }];
      }
      case 'content_block_delta':
        return this.#delta(index, isRecord(event['delta']) ? event['delta'] : {});
      case 'content_block_stop':
        return [{ type: this.#isCall ? 'tool-call-end' : 'content-end', index }];
      case 'message_delta': {
        const reason = isRecord(event['delta']) ? event['delta']['stop_reason'] : '';
        return [{ type: 'message-end', delta: { finish_reason: finishReason(reason), usage: usageOf(event['usage'] as MessagesUsage) } }];
      }
      default:
        return [];
    }
  }

  #delta(index: unknown, { type, text, thinking, partial_json: given }: Json): readonly Json[] {
    switch (type) {
      case 'text_delta':
        return [{ type: 'content-delta', index, delta: { message: { content: { text } } } }];
      case 'thinking_delta':
        return [{ type: 'content-delta', index, delta: { message: { content: { thinking } } } }];
      case 'input_json_delta':
        return [{ type: 'tool-call-delta', index, delta: { message: { tool_calls: { function: { arguments: given } } } } }];
      default:
        return [];
    }
  }
}
