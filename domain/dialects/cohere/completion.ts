import { completionFrom } from '../chat/completion.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { cohereFinish } from './finish-reason.ts';
import { cohereUsage } from './reported-usage.ts';

type Json = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

const joined = (content: readonly unknown[], name: 'text' | 'thinking'): string =>
  content.map((item) => (isRecord(item) ? textOf(item[name]) : '')).join('');

/** An answer of Cohere's as one of OpenAI's chat completions; `null` for what is none. A plan of tool calls is a thought. */
export const cohereCompletion = (answer: unknown, created: number, model: string): Json | null => {
  if (!isRecord(answer) || !isRecord(answer['message'])) return null;
  const { message } = answer;
  const content = list(message['content']);
  const calls = list(message['tool_calls']).flatMap((call) => {
    if (!isRecord(call) || !isRecord(call['function'])) return [];
    const given = textOf(call['function']['arguments']);
    return [{ id: textOf(call['id']), name: textOf(call['function']['name']), arguments: given === '' ? '{}' : given }];
  });
  return completionFrom(
    {
      id: textOf(answer['id']),
      text: joined(content, 'text'),
      reasoning: joined(content, 'thinking') + textOf(message['tool_plan']),
      calls,
      finish: cohereFinish(answer['finish_reason']),
      usage: cohereUsage(answer['usage']),
    },
    created,
    model,
  );
};
