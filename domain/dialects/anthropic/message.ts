import { isRecord, textOf } from '../loose-json.ts';
import { reasoningDetailsOf } from '../chat/reasoning-details.ts';
import { CLAUDE_REASONING } from './claude-reasoning.ts';
import { stopReasonOf } from './stop-reason.ts';
import { callArguments } from '../call-arguments.ts';
import type { MessagesUsage } from './usage.ts';

type Json = Readonly<Record<string, unknown>>;

export interface MessageIdentity {
  /** `msg_…`. */
  readonly id: string;
  /** As the client named it. */
  readonly model: string;
}

const blocksOf = (said: Json): readonly Json[] => {
  const blocks: Json[] = [];
  const thinking = textOf(said['reasoning_content']) || textOf(said['reasoning']);
  const signed = reasoningDetailsOf(said['reasoning_details']).filter(({ format }) => format === CLAUDE_REASONING);
  for (const detail of signed)
    blocks.push(
      detail.kind === 'text'
        ? { type: 'thinking', thinking: detail.text, signature: detail.signature }
        : { type: 'redacted_thinking', data: detail.data },
    );
  if (thinking !== '' && signed.length === 0) blocks.push({ type: 'thinking', thinking, signature: '' });
  const { content } = said;
  const told = Array.isArray(content)
    ? content.map((part: unknown) => (isRecord(part) ? textOf(part['text']) : '')).join('')
    : textOf(content);
  const text = told + textOf(said['refusal']);
  if (text !== '') blocks.push({ type: 'text', text });
  const calls: readonly unknown[] = Array.isArray(said['tool_calls']) ? said['tool_calls'] : [];
  for (const [index, call] of calls.entries()) {
    const named = isRecord(call) && isRecord(call['function']) ? call['function'] : {};
    const id = isRecord(call) ? textOf(call['id']) : '';
    blocks.push({
      type: 'tool_use',
      id: id === '' ? `toolu_${index}` : id,
      name: textOf(named['name']),
      input: callArguments(textOf(named['arguments'])),
    });
  }
  return blocks;
};

/** An answer of OpenAI's chat completions as a message of Anthropic's. What it may hold beside texts, thoughts and calls has no counterpart there. */
export const messageOf = (completion: unknown, { id, model }: MessageIdentity, usage: MessagesUsage): Json => {
  const choices: readonly unknown[] = isRecord(completion) && Array.isArray(completion['choices']) ? completion['choices'] : [];
  const choice = isRecord(choices[0]) ? choices[0] : {};
  const content = isRecord(choice['message']) ? blocksOf(choice['message']) : [];
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: stopReasonOf(
      choice['finish_reason'],
      content.some(({ type }) => type === 'tool_use'),
    ),
    stop_sequence: null,
    usage,
  };
};
