import { refuse, type Refusal } from '../../schemas/errors.ts';
import type { ConversationEvent } from '../../schemas/events/catalogue.ts';
import type { ConversationId, StreamName, UserId } from '../../schemas/ids.ts';
import type { Decider } from '../kernel/decider.ts';
import { streamName } from '../kernel/stream-name.ts';

export const conversationStream = (conversationId: ConversationId): StreamName => streamName('conversation', conversationId);

/** More than that no model could be told at once. */
export const MOST_ITEMS = 2_000;

export interface ConversationItem {
  readonly itemId: string;
  /** Ciphertext. */
  readonly content: string;
}

export interface Conversation {
  readonly state: 'none' | 'open' | 'deleted';
  readonly userId: UserId | null;
  /** Ciphertext. */
  readonly metadata: string;
  /** How often it was described anew: each description has a key of its own. */
  readonly descriptions: number;
  readonly items: readonly ConversationItem[];
}

const initial: Conversation = { state: 'none', userId: null, metadata: '', descriptions: 0, items: [] };

const evolve = (state: Conversation, { type, data }: ConversationEvent): Conversation => {
  switch (type) {
    case 'ConversationStarted':
      return { ...state, state: 'open', userId: data.userId, metadata: data.metadata };
    case 'ConversationDescribed':
      return { ...state, metadata: data.metadata, descriptions: state.descriptions + 1 };
    case 'ConversationItemAdded':
      return { ...state, items: [...state.items, { itemId: data.itemId, content: data.content }] };
    case 'ConversationItemRemoved':
      return { ...state, items: state.items.filter(({ itemId }) => itemId !== data.itemId) };
    case 'ConversationDeleted':
      return { ...state, state: 'deleted', metadata: '', items: [] };
  }
};

export type ConversationCommand = { readonly userId: UserId } & (
  | { readonly kind: 'start'; readonly metadata: string; readonly items: readonly ConversationItem[] }
  | { readonly kind: 'describe'; readonly metadata: string }
  | { readonly kind: 'add'; readonly items: readonly ConversationItem[] }
  | { readonly kind: 'remove'; readonly itemId: string }
  | { readonly kind: 'delete' }
);

const NOT_FOUND = 'There is no such conversation.';

const decide = (
  command: ConversationCommand,
  state: Conversation,
  conversationId: ConversationId,
): readonly ConversationEvent[] | Refusal => {
  const { userId } = command;
  const added = (items: readonly ConversationItem[]): readonly ConversationEvent[] | Refusal =>
    state.items.length + items.length > MOST_ITEMS
      ? refuse('invalid_request', `A conversation has at most ${MOST_ITEMS} items.`)
      : items.map((item) => ({ type: 'ConversationItemAdded', data: { conversationId, ...item } }));
  if (command.kind === 'start') {
    if (state.state !== 'none') return refuse('already_exists');
    const items = added(command.items);
    if ('refused' in items) return items;
    return [{ type: 'ConversationStarted', data: { conversationId, userId, metadata: command.metadata } }, ...items];
  }
  if (state.state !== 'open' || state.userId !== userId) return refuse('not_found', NOT_FOUND);
  switch (command.kind) {
    case 'describe':
      return [{ type: 'ConversationDescribed', data: { conversationId, metadata: command.metadata } }];
    case 'add':
      return added(command.items);
    case 'remove':
      return state.items.some(({ itemId }) => itemId === command.itemId)
        ? [{ type: 'ConversationItemRemoved', data: { conversationId, itemId: command.itemId } }]
        : refuse('not_found', 'There is no such item in the conversation.');
    case 'delete':
      return [{ type: 'ConversationDeleted', data: { conversationId, userId } }];
  }
};

/** What was said between somebody and models, item by item. */
export const conversation = (conversationId: ConversationId): Decider<Conversation, ConversationCommand, ConversationEvent> => ({
  initial,
  evolve,
  decide: (command, state) => decide(command, state, conversationId),
});
