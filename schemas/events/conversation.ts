import { z } from 'zod';
import { ConversationId, UserId } from '../ids.ts';
import { Ciphertext } from './response.ts';

const ItemId = z.string().min(1).max(200);

export const conversationEvents = {
  ConversationStarted: z.object({
    conversationId: ConversationId,
    userId: UserId,
    /** What its owner says of it; encrypted as what is said in it is. */
    metadata: Ciphertext,
  }),
  ConversationDescribed: z.object({ conversationId: ConversationId, metadata: Ciphertext }),
  ConversationItemAdded: z.object({ conversationId: ConversationId, itemId: ItemId, content: Ciphertext }),
  ConversationItemRemoved: z.object({ conversationId: ConversationId, itemId: ItemId }),
  ConversationDeleted: z.object({ conversationId: ConversationId, userId: UserId }),
} as const;
