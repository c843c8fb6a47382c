import { completionFrom } from '../chat/completion.ts';
import { isRecord, textOf } from '../loose-json.ts';
import { callsIn, momentOf, ollamaFinish, ollamaUsage } from './said.ts';

type Json = Readonly<Record<string, unknown>>;

/** An answer of Ollama's as one of OpenAI's chat completions; `null` for what is none. */
export const ollamaCompletion = (answer: unknown, created: number, model: string): Json | null => {
  if (!isRecord(answer) || !isRecord(answer['message'])) return null;
  const { message } = answer;
  const moment = momentOf(answer);
  const calls = callsIn(message, moment, 0);
  return completionFrom(
    {
      id: moment,
      text: textOf(message['content']),
      reasoning: textOf(message['thinking']),
      calls,
      finish: ollamaFinish(answer['done_reason'], calls.length > 0),
      usage: ollamaUsage(answer),
    },
    created,
    model,
  );
};
