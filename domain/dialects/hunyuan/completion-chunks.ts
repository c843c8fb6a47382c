import { PiecewiseTeller, type Piece } from '../chat/piecewise-teller.ts';
import type { Teller } from '../chat/told.ts';
import { isRecord, textOf } from '../loose-json.ts';

type Json = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

/** What went wrong, as a status that means the same; `null`: nothing did. Tencent’s errors come with a status of success. */
export const hunyuanError = (answer: unknown): { readonly status: number; readonly message: string } | null => {
  const response = isRecord(answer) && isRecord(answer['Response']) ? answer['Response'] : answer;
  if (!isRecord(response)) return null;
  const error = isRecord(response['Error']) ? response['Error'] : isRecord(response['ErrorMsg']) ? response['ErrorMsg'] : null;
  if (error === null) return null;
  const code = textOf(error['Code']);
  const message = textOf(error['Message']) || textOf(error['Msg']) || code;
  const status = code.startsWith('AuthFailure')
    ? 401
    : code.startsWith('UnauthorizedOperation')
      ? 403
      : /^(?:RequestLimitExceeded|LimitExceeded)/.test(code)
        ? 429
        : /ResourceInsufficient|ResourceUnavailable/.test(code)
          ? 402
          : /^(?:InvalidParameter|MissingParameter|UnknownParameter|UnsupportedOperation|FailedOperation\.(?:Partner|Moderation))/.test(
                code,
              )
            ? 400
            : 500;
  return { status, message };
};

const usageOf = (usage: unknown): Json | null =>
  isRecord(usage) && typeof usage['PromptTokens'] === 'number'
    ? { prompt_tokens: usage['PromptTokens'], completion_tokens: usage['CompletionTokens'] ?? 0 }
    : null;

const callDelta = (place: number, { Index: index, Id: id, Function: named }: Json): Json => {
  const { Name: name, Arguments: given } = isRecord(named) ? named : {};
  return {
    tool_calls: [
      {
        index: typeof index === 'number' ? index : place,
        ...(textOf(id) === '' ? {} : { id, type: 'function' }),
        function: { ...(textOf(name) === '' ? {} : { name }), arguments: textOf(given) },
      },
    ],
  };
};

const piece = (event: Json): Piece | null => {
  const response = isRecord(event['Response']) ? event['Response'] : event;
  const choice = list(response['Choices'])[0];
  if (!isRecord(choice)) return null;
  const said = isRecord(choice['Delta']) ? choice['Delta'] : isRecord(choice['Message']) ? choice['Message'] : {};
  const deltas: Json[] = [];
  const thought = textOf(said['ReasoningContent']);
  if (thought !== '') deltas.push({ reasoning_content: thought });
  const text = textOf(said['Content']);
  if (text !== '') deltas.push({ content: text });
  for (const [place, call] of list(said['ToolCalls']).entries()) if (isRecord(call)) deltas.push(callDelta(place, call));
  const reason = textOf(choice['FinishReason']);
  const finish = reason === '' ? null : reason === 'sensitive' ? 'content_filter' : reason;
  return { id: textOf(response['Id']), deltas, finish, usage: usageOf(response['Usage']) };
};

/** Answers of Hunyuan’s, whole or in pieces, as chunks of OpenAI’s chat completions. `created` in seconds since the epoch. */
export const hunyuanTeller = (created: number, model: string): Teller =>
  new PiecewiseTeller({ error: hunyuanError, piece }, created, model);
