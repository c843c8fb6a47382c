import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

/** A call that Ollama made. It gives ids to calls only of late. */
export interface OllamaCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What makes a made-up id one of its own: when the answer was made, to the nanosecond. */
export const momentOf = (answer: Json): string => textOf(answer['created_at']).replace(/\D/g, '');

/** The calls in a message; `before` have been made in this answer already. */
export const callsIn = (message: Json, moment: string, before: number): readonly OllamaCall[] =>
  (Array.isArray(message['tool_calls']) ? (message['tool_calls'] as readonly unknown[]) : []).flatMap((call, index) => {
    if (!isRecord(call) || !isRecord(call['function'])) return [];
    const { name, arguments: given } = call['function'];
    return [
      {
        id: textOf(call['id']) || `call_${moment}_${before + index}`,
        name: textOf(name),
        arguments: typeof given === 'string' ? given : JSON.stringify(given ?? {}),
      },
    ];
  });

/** Why an answer ended, in OpenAI's words. */
export const ollamaFinish = (reason: unknown, hasCalls: boolean): string => {
  if (hasCalls) return 'tool_calls';
  return reason === 'length' ? 'length' : 'stop';
};

/** Usage in OpenAI's form; `null` where the prompt was not counted, as happens when it was cached whole. */
export const ollamaUsage = ({ prompt_eval_count: prompt, eval_count: output }: Json): Json | null => {
  if (prompt === undefined || prompt === null) return null;
  const total = typeof prompt === 'number' && typeof output === 'number' ? { total_tokens: prompt + output } : {};
  return { prompt_tokens: prompt, completion_tokens: output ?? 0, ...total };
};
