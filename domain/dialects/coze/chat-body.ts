import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, isUnsayable, textIn, unsayable } from '../chat/bounds.ts';
import { turnsOf } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

/** Who asks, to a bot that keeps its users apart, where the request does not say. */
const SOMEBODY = 'oblivious';

/**
 * A chat request as one of a bot of Coze’s, whose id is the model’s name upstream. A bot has its own model, instructions and tools; instructions of the
 * request are told as the user’s.
 *
 * Left out: everything that says how a model is to answer, among it any limit of output. Refused by name: tools, audio, files, pictures that are no addresses,
 * more than one answer, and whoever’s balance covers a shorter answer only.
 */
export const cozeChatBody = (request: ChatRequest, upstreamModel: string, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  if (loweredOutput !== null) return unsayable('this upstream cannot be held to what the balance covers.', 'max_tokens');
  if (Array.isArray(request['tools']) && request['tools'].length > 0 && request['tool_choice'] !== 'none')
    return unsayable('bots have tools of their own.', 'tools');
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const messages: Json[] = [];
  for (const [index, turn] of turns.entries()) {
    const param = `messages.${index}`;
    if (turn.role === 'tool' || (turn.role === 'assistant' && turn.calls.length > 0))
      return unsayable('bots have tools of their own.', param);
    const said = turn.role === 'assistant' ? { role: 'assistant', type: 'answer' } : { role: 'user', type: 'question' };
    if (turn.parts.every(({ kind }) => kind === 'text')) {
      messages.push({ ...said, content: textIn(turn.parts), content_type: 'text' });
      continue;
    }
    const objects: Json[] = [];
    for (const part of turn.parts) {
      if (part.kind === 'text') objects.push({ type: 'text', text: part.text });
      else if (part.kind === 'image' && 'url' in part.source) objects.push({ type: 'image', file_url: part.source.url });
      else return unsayable('only texts and addresses of images can be passed on.', param);
    }
    messages.push({ ...said, content: JSON.stringify(objects), content_type: 'object_string' });
  }
  const { user } = request;
  return {
    bot_id: upstreamModel,
    user_id: typeof user === 'string' && user !== '' ? user : SOMEBODY,
    // A whole answer would have to be asked for again and again; it is put together here.
    stream: true,
    auto_save_history: false,
    additional_messages: messages,
  };
};
