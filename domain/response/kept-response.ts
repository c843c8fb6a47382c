import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ResponseEvent } from '../../schemas/events/catalogue.ts';
import type { ConversationId, RequestId, ResponseId, StreamName, TokenId, UserId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const responseStream = (responseId: ResponseId): StreamName => streamName('response', responseId);

export interface KeptResponse {
  readonly state: 'none' | 'kept' | 'deleted';
  readonly userId: UserId | null;
  readonly parts: number;
  /** Ciphertext, part by part. */
  readonly content: readonly string[];
}

const initial: KeptResponse = { state: 'none', userId: null, parts: 0, content: [] };

const evolve = (state: KeptResponse, { type, data }: ResponseEvent): KeptResponse => {
  switch (type) {
    case 'ResponseKept':
      return { state: 'kept', userId: data.userId, parts: data.parts, content: [data.content] };
    case 'ResponsePartKept':
      return { ...state, content: [...state.content, data.content] };
    case 'ResponseDeleted':
      return { ...state, state: 'deleted', content: [] };
  }
};

export interface KeepResponse {
  readonly kind: 'keep';
  readonly userId: UserId;
  readonly tokenId: TokenId;
  readonly requestId: RequestId;
  readonly model: string;
  readonly conversationId: ConversationId | null;
  readonly expiresAt: string;
  readonly content: readonly [string, ...string[]];
}

export type ResponseCommand = KeepResponse | { readonly kind: 'delete'; readonly userId: UserId };

const NOT_FOUND = 'There is no such response.';

const decide = (command: ResponseCommand, state: KeptResponse, responseId: ResponseId): readonly ResponseEvent[] | Refusal => {
  if (command.kind === 'keep') {
    if (state.state !== 'none') return refuse('already_exists');
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
  if (state.state !== 'kept' || state.userId !== command.userId) return refuse('not_found', NOT_FOUND);
  return [{ type: 'ResponseDeleted', data: { responseId, userId: command.userId } }];
};

/** An answer that its caller may ask for again. */
export const keptResponse = (responseId: ResponseId): Decider<KeptResponse, ResponseCommand, ResponseEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, responseId),
});
