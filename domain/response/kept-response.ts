import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ResponseEvent } from '../../schemas/events/catalogue.ts';
import type { ConversationId, RequestId, ResponseId, StreamName, TokenId, UserId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const responseStream = (responseId: ResponseId): StreamName => streamName('response', responseId);

export interface KeptResponse {
  readonly state: 'none' | 'begun' | 'cancelled' | 'kept' | 'deleted';
  readonly userId: UserId | null;
  readonly parts: number;
  /** Ciphertext, part by part. */
  readonly content: readonly string[];
}

const initial: KeptResponse = { state: 'none', userId: null, parts: 0, content: [] };

const evolve = (state: KeptResponse, { type, data }: ResponseEvent): KeptResponse => {
  switch (type) {
    case 'ResponseBegun':
      return { state: 'begun', userId: data.userId, parts: 1, content: [data.content] };
    case 'ResponseCancelled':
      return { ...state, state: 'cancelled' };
    case 'ResponseKept':
      return { state: 'kept', userId: data.userId, parts: data.parts, content: [data.content] };
    case 'ResponsePartKept':
      return { ...state, content: [...state.content, data.content] };
    case 'ResponseDeleted':
      return { ...state, state: 'deleted', content: [] };
  }
};

interface ResponseFacts {
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly requestId: RequestId;
  readonly model: string;
  readonly expiresAt: string;
}

export type ResponseCommand =
  | ({ readonly kind: 'begin'; readonly content: string } & ResponseFacts)
  | ({
      readonly kind: 'keep';
      readonly conversationId: ConversationId | null;
      readonly content: readonly [string, ...string[]];
    } & ResponseFacts)
  | { readonly kind: 'cancel' | 'delete'; readonly userId: UserId };

const NOT_FOUND = 'There is no such response.';

const decide = (command: ResponseCommand, state: KeptResponse, responseId: ResponseId): readonly ResponseEvent[] | Refusal => {
  switch (command.kind) {
    case 'begin': {
      const { kind: _kind, ...facts } = command;
      return state.state === 'none' ? [{ type: 'ResponseBegun', data: { responseId, ...facts } }] : refuse('already_exists');
    }
    case 'keep': {
      if (state.state === 'cancelled') return refuse('wrong_state', 'The response was cancelled.');
      if (state.state !== 'none' && state.state !== 'begun') return refuse('already_exists');
      const {
        kind: _kind,
        content: [first, ...others],
        ...facts
      } = command;
      return [
        { type: 'ResponseKept', data: { responseId, ...facts, parts: others.length + 1, content: first } },
        ...others.map((content, index): ResponseEvent => ({ type: 'ResponsePartKept', data: { responseId, part: index + 1, content } })),
      ];
    }
    default:
  }
  if (state.state === 'none' || state.state === 'deleted' || state.userId !== command.userId) return refuse('not_found', NOT_FOUND);
  if (command.kind === 'delete') return [{ type: 'ResponseDeleted', data: { responseId, userId: command.userId } }];
  if (state.state === 'cancelled') return [];
  return state.state === 'begun'
    ? [{ type: 'ResponseCancelled', data: { responseId, userId: command.userId } }]
    : refuse('invalid_request', 'Only a response that is still being made in the background can be cancelled.');
};

/** An answer that its caller may ask for again. */
export const keptResponse = (responseId: ResponseId): Decider<KeptResponse, ResponseCommand, ResponseEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, responseId),
});
