import type { Refusal } from '../../../schemas/errors.ts';
import type { ChatRequest } from '../../../schemas/openai/chat-request.ts';
import { beyondOneText, imageUrl, isUnsayable, stopsOf, textIn, unsayable } from '../chat/bounds.ts';
import { toolsOf } from '../chat/tools.ts';
import { turnsOf, type Turn } from '../chat/turns.ts';

type Json = Readonly<Record<string, unknown>>;

const messageOf = (turn: Turn, param: string): Json | Refusal => {
  if (turn.role === 'user' && turn.parts.some(({ kind }) => kind !== 'text')) {
    const contents: Json[] = [];
    for (const part of turn.parts) {
      if (part.kind === 'text') contents.push({ Type: 'text', Text: part.text });
      else if (part.kind === 'image') contents.push({ Type: 'image_url', ImageUrl: { Url: imageUrl(part) } });
      else return unsayable(`${part.kind === 'audio' ? 'audio' : 'files'} cannot be passed on to this model.`, param);
    }
    return { Role: 'user', Contents: contents };
  }
  if (turn.parts.some(({ kind }) => kind !== 'text')) return unsayable('only texts can stand here.', param);
  const said = { Role: turn.role, Content: textIn(turn.parts) };
  if (turn.role === 'tool') return { ...said, ToolCallId: turn.callId };
  if (turn.role !== 'assistant' || turn.calls.length === 0) return said;
  const calls = turn.calls.map(({ id, name, arguments: given }) => ({
    Id: id,
    Type: 'function',
    Function: { Name: name, Arguments: JSON.stringify(given) },
  }));
  return { ...said, ToolCalls: calls };
};

const toolMembers = (request: ChatRequest): Json | Refusal => {
  const said = toolsOf(request);
  if (isUnsayable(said)) return said;
  const { choice } = said;
  const tools = said.tools.map(({ name, description, parameters }) => ({
    Type: 'function',
    Function: { Name: name, Description: description, Parameters: JSON.stringify(parameters ?? { type: 'object', properties: {} }) },
  }));
  if (tools.length === 0) return {};
  if (choice?.mode === 'required') return unsayable('this upstream cannot be made to call any tool; name one.', 'tool_choice');
  if (choice?.mode !== 'named') return { Tools: tools, ToolChoice: choice?.mode ?? 'auto' };
  const named = tools.find(({ Function: { Name: name } }) => name === choice.name);
  return { Tools: tools, ToolChoice: 'custom', ...(named === undefined ? {} : { CustomTool: named }) };
};

/**
 * A chat request as one of Hunyuan’s own, of the version of 2023-09-01.
 *
 * Left out: any limit of output, which the format does not have, `logprobs`, `logit_bias`, penalties, `response_format`, `user`, `store`, `metadata`,
 * `reasoning_effort` but for `none`, thoughts of earlier turns. Refused by name: more than one answer, audio, files, a tool that must be called but
 * is not named, and whoever’s balance covers a shorter answer only.
 */
export const hunyuanChatBody = (request: ChatRequest, upstreamModel: string, loweredOutput: number | null): Json | Refusal => {
  const beyond = beyondOneText(request);
  if (beyond !== null) return beyond;
  if (loweredOutput !== null) return unsayable('this upstream cannot be held to what the balance covers.', 'max_tokens');
  const turns = turnsOf(request.messages);
  if (isUnsayable(turns)) return turns;
  const tools = toolMembers(request);
  if (isUnsayable(tools)) return tools;
  const messages: Json[] = [];
  for (const [index, turn] of turns.entries()) {
    const message = messageOf(turn, `messages.${index}`);
    if (isUnsayable(message)) return message;
    messages.push(message);
  }
  const { temperature, top_p: topP, seed, stop, reasoning_effort: effort } = request;
  const stops = stopsOf(stop);
  return {
    Model: upstreamModel,
    Messages: messages,
    Stream: request.stream === true,
    ...tools,
    ...(typeof temperature === 'number' ? { Temperature: temperature } : {}),
    ...(typeof topP === 'number' ? { TopP: topP } : {}),
    ...(typeof seed === 'number' && seed > 0 ? { Seed: seed } : {}),
    ...(stops.length === 0 ? {} : { Stop: stops }),
    ...(effort === 'none' ? { EnableThinking: false } : {}),
  };
};
