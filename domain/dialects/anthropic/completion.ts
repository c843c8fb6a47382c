import { reasoningDetail, type ReasoningDetail } from '../chat/reasoning-details.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { finishReasonOf } from './finish-reason.ts';
import { CLAUDE_REASONING } from './claude-reasoning.ts';
import { chatUsage } from './reported-usage.ts';

type Json = Readonly<Record<string, unknown>>;

/** A source of what was said, as OpenAI tells of it. `null`: none that lies on the web. */
export const urlCitation = (citation: unknown, start: number, end: number): Json | null =>
  isRecord(citation) && textOf(citation['url']) !== ''
    ? {
        type: 'url_citation',
        url_citation: { url: citation['url'], title: textOf(citation['title']), start_index: start, end_index: end },
      }
    : null;

/** The message that the blocks of an answer come to. Blocks of Anthropic's own tools add nothing: what they found is in the texts. */
const messageFrom = (blocks: readonly unknown[], refusal: string | null): Json => {
  let text = '';
  let thinking = '';
  const calls: Json[] = [];
  const details: ReasoningDetail[] = [];
  const annotations: Json[] = [];
  for (const block of blocks) {
    if (!isRecord(block)) continue;
    switch (block['type']) {
      case 'text': {
        const start = text.length;
        text += textOf(block['text']);
        for (const citation of Array.isArray(block['citations']) ? (block['citations'] as readonly unknown[]) : []) {
          const said = urlCitation(citation, start, text.length);
          if (said !== null) annotations.push(said);
        }
        break;
      }
      case 'thinking':
        thinking += textOf(block['thinking']);
        details.push({ kind: 'text', text: textOf(block['thinking']), signature: textOf(block['signature']), format: CLAUDE_REASONING });
        break;
      case 'redacted_thinking':
        details.push({ kind: 'encrypted', data: textOf(block['data']), format: CLAUDE_REASONING });
        break;
      case 'tool_use':
        calls.push({
          id: textOf(block['id']),
          type: 'function',
          function: { name: textOf(block['name']), arguments: JSON.stringify(block['input'] ?? {}) },
        });
    }
  }
  const message: Record<string, unknown> = { role: 'assistant', content: text === '' && calls.length > 0 ? null : text, refusal };
  if (thinking !== '') message['reasoning_content'] = thinking;
  if (details.length > 0) message['reasoning_details'] = details.map(reasoningDetail);
  if (annotations.length > 0) message['annotations'] = annotations;
  if (calls.length > 0) message['tool_calls'] = calls;
  return message;
};

/** Why the model would not go on, where it says so. */
export const refusalOf = (said: Json): string | null => {
  const details = said['stop_details'];
  return isRecord(details) && textOf(details['explanation']) !== '' ? textOf(details['explanation']) : null;
};

/** A message of Anthropic's as an answer of OpenAI's chat completions; `null` for what is no message. `created` in seconds since the epoch. */
export const completionOf = (message: unknown, created: number): Json | null => {
  if (!isRecord(message) || !Array.isArray(message['content'])) return null;
  const completion: Record<string, unknown> = {
    id: `chatcmpl-${textOf(message['id'])}`,
    object: 'chat.completion',
    created,
    model: textOf(message['model']),
    choices: [
      {
        index: 0,
        message: messageFrom(message['content'], refusalOf(message)),
        logprobs: null,
        finish_reason: finishReasonOf(message['stop_reason']),
      },
    ],
  };
  if (isRecord(message['usage'])) completion['usage'] = chatUsage(message['usage']);
  return completion;
};
