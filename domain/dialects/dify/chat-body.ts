import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, isUnsayable, textIn, unsayable } from '../chat/bounds.ts';
import { turnsOf, type Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

const SPEAKERS: Readonly<Record<Turn['role'], string>> = { system: 'SYSTEM', user: 'USER', assistant: 'ASSISTANT', tool: 'TOOL' };

/** Who asks, to an app that keeps its users apart, where the request does not say. */
const SOMEBODY = 'oblivious';

/**
 * A chat request as one of an app of Dify’s. An app has its own model, instructions and tools, and keeps conversations itself: what was said before is told in
 * front of what is asked, each turn with its speaker.
 *
 * Left out: everything that says how a model is to answer, among it any limit of output. Refused by name: tools, audio, files, pictures that are no addresses,
 * more than one answer, and whoever’s balance covers a shorter answer only.
 */
export const difyChatBody = (request: ChatRequest, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  if (loweredOutput !== null) return unsayable('this upstream cannot be held to what the balance covers.', 'max_tokens');
  if (Array.isArray(request['tools']) && request['tools'].length > 0 && request['tool_choice'] !== 'none')
    return unsayable('apps have tools of their own.', 'tools');
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const files: Json[] = [];
  const lines: string[] = [];
  for (const [index, turn] of turns.entries()) {
    for (const part of turn.parts) {
      if (part.kind === 'text') continue;
      if (part.kind !== 'image' || !('url' in part.source))
        return unsayable('only texts and addresses of images can be passed on.', `messages.${index}`);
      files.push({ type: 'image', transfer_method: 'remote_url', url: part.source.url });
    }
    lines.push(turns.length === 1 ? textIn(turn.parts) : `${SPEAKERS[turn.role]}:\n${textIn(turn.parts)}`);
  }
  const { user } = request;
  return {
    inputs: {},
    query: lines.join('\n\n'),
    // Agents have no other way; whole answers are put together here.
    response_mode: 'streaming',
    conversation_id: '',
    user: typeof user === 'string' && user !== '' ? user : SOMEBODY,
    ...(files.length === 0 ? {} : { files }),
  };
};
