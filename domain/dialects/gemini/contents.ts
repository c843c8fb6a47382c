import { refuse, type Refusal } from '../../../schemas/errors.ts';
import { Conversation, type ConversationRules } from '../chat/conversation.ts';
import type { SaidCall, SaidPart, Turn } from '../chat/turns.ts';
import { isRecord } from '../loose-json.ts';
import type { GeminiTraits } from './gemini-traits.ts';

type Json = Readonly<Record<string, unknown>>;

/** The format of Google's signatures, as `reasoning_details` name it. */
export const GEMINI_REASONING = 'google-gemini-v1';

/** Google's own word for a call whose signature is lost: without one its newer models refuse the turn. */
const SIGNATURE_LOST = 'skip_thought_signature_validator';

/** Said where a turn must be and nobody said anything. */
const SILENCE = '...';

const fault = (what: string, param: string): Refusal => refuse('invalid_request', `${param}: ${what}`, { param });

const isFault = (value: object): value is Refusal => 'refused' in value;

const IMAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
]);

/** Google wants the type of what lies elsewhere told, and its name is all there is to go by. */
const typeByName = (url: string): string => IMAGE_TYPES.get(/\.(\w+)(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? '') ?? 'image/jpeg';

/** `null` for what says nothing. */
const partOf = (part: SaidPart, traits: GeminiTraits, param: string): Json | Refusal | null => {
  switch (part.kind) {
    case 'text':
      return part.text === '' ? null : { text: part.text };
    case 'image': {
      const { source } = part;
      if (!('url' in source)) return { inlineData: { mimeType: source.type, data: source.data } };
      if (!traits.readsAddresses) return fault('this model reads no images by their address; send the image itself.', param);
      return { fileData: { mimeType: typeByName(source.url), fileUri: source.url } };
    }
    case 'audio':
      return { inlineData: { mimeType: `audio/${part.format}`, data: part.data } };
    case 'file':
      return { inlineData: { mimeType: part.type, data: part.data } };
  }
};

const partsOf = (parts: readonly SaidPart[], traits: GeminiTraits, param: string): Json[] | Refusal => {
  const said: Json[] = [];
  for (const one of parts) {
    const part = partOf(one, traits, param);
    if (part === null) continue;
    if (isFault(part)) return part;
    said.push(part);
  }
  return said;
};

const idOf = ({ id }: SaidCall, { signsCalls }: GeminiTraits): Json => (signsCalls && id !== '' ? { id } : {});

/** A result is an object: one that is told as such, or the text that was told. */
const outcomeOf = (text: string): Json => {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // A text.
  }
  return { output: text };
};

const modelParts = (turn: Extract<Turn, { role: 'assistant' }>, traits: GeminiTraits): readonly Json[] => {
  const texts: Json[] = turn.parts.filter(({ text }) => text !== '').map(({ text }) => ({ text }));
  const signature = turn.reasoning.find((detail) => detail.kind === 'encrypted' && detail.format === GEMINI_REASONING);
  if (signature?.kind === 'encrypted') texts.push({ ...(texts.pop() ?? { text: '' }), thoughtSignature: signature.data });
  const calls = turn.calls.map((call, index): Json => {
    const signed = call.signature ?? (index === 0 && traits.signsCalls ? SIGNATURE_LOST : null);
    return {
      functionCall: { ...idOf(call, traits), name: call.name, args: call.arguments },
      ...(signed === null ? {} : { thoughtSignature: signed }),
    };
  });
  return [...texts, ...calls];
};

export interface Contents {
  /** `null`: no system said anything. */
  readonly system: Json | null;
  readonly contents: readonly Json[];
}

/**
 * Turns of a chat request as Google's `systemInstruction` and `contents`. What systems said goes to the front, wherever it stood; results
 * of calls come right behind them, as many as there were calls and in their order; neighbours of one role are one content.
 */
export const contentsOfTurns = (turns: readonly Turn[], traits: GeminiTraits): Contents | Refusal => {
  const rules: ConversationRules<'user' | 'model', Json, SaidCall> = {
    user: 'user',
    assistant: 'model',
    missing: (call) => ({ functionResponse: { ...idOf(call, traits), name: call.name, response: { error: 'There is no result.' } } }),
    stray: ({ functionResponse }) => [{ text: JSON.stringify(isRecord(functionResponse) ? functionResponse['response'] : null) }],
  };
  const conversation = new Conversation(rules);
  const system: Json[] = [];
  for (const [index, turn] of turns.entries()) {
    const param = `messages.${index}`;
    switch (turn.role) {
      case 'system':
        for (const { text } of turn.parts) if (text !== '') system.push({ text });
        break;
      case 'assistant':
        conversation.fromAssistant(modelParts(turn, traits), turn.calls);
        break;
      case 'user': {
        const parts = partsOf(turn.parts, traits, param);
        if (isFault(parts)) return parts;
        conversation.fromUser(parts);
        break;
      }
      case 'tool': {
        const parts = partsOf(
          turn.parts.filter(({ kind }) => kind !== 'text'),
          traits,
          param,
        );
        if (isFault(parts)) return parts;
        const text = turn.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
        const call = conversation.call(turn.callId);
        const named = call === undefined ? { name: 'unknown' } : { ...idOf(call, traits), name: call.name };
        conversation.result(turn.callId, { functionResponse: { ...named, response: outcomeOf(text) } }, parts);
      }
    }
  }
  conversation.end();
  const contents = conversation.said.map(({ role, content: parts }): Json => ({ role, parts }));
  if (contents[0]?.['role'] !== 'user') contents.unshift({ role: 'user', parts: [{ text: SILENCE }] });
  return { system: system.length === 0 ? null : { parts: system }, contents };
};
