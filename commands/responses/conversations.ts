import {
  conversation,
  conversationStream,
  type Conversation,
  type ConversationCommand,
  type ConversationItem,
} from '../../domain/conversation/conversation.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import { ConversationId, type UserId } from '../../schemas/ids.ts';
import { LOG_LIMITS } from '../../schemas/log-limits.ts';
import { ConversationFacts, KeptItem } from '../../schemas/responses/kept-content.ts';
import { readState } from '../read-state.ts';
import { runCommand } from '../run-command.ts';
import { orArchiveUnavailable } from './archive-unavailable.ts';
import type { ContentOwner } from '../ports/content-vault.ts';
import { archiveContext, type ArchiveCaller, type ArchiveDeps } from './archive-context.ts';

const NOT_FOUND = 'There is no such conversation.';

/** Room for what stands around a ciphertext in its event. */
const ENVELOPE_BYTES = 4_096;

export interface ConversationContent {
  readonly facts: ConversationFacts;
  readonly items: readonly KeptItem[];
}

/** Each description has a key of its own: the one before it is good until the next is in the log. */
const factsContent = (conversationId: ConversationId, description: number): string => `${conversationId}/about/${description}`;

const itemContent = (conversationId: ConversationId, itemId: string): string => `${conversationId}/${itemId}`;

/**
 * Conversations: what was said, item by item, each a ciphertext in the log under a key of its own, so that each can be made unreadable by
 * itself. Whoever asks for another user's finds nothing.
 */
export class Conversations {
  readonly #deps: ArchiveDeps;

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
  }

  start(
    caller: ArchiveCaller,
    conversationId: ConversationId,
    facts: ConversationFacts,
    items: readonly KeptItem[],
  ): Promise<Refusal | null> {
    return orArchiveUnavailable(async () => {
      const sealed = await this.#seal(caller, conversationId, items);
      if (isRefusal(sealed)) return sealed;
      const metadata = await this.#sealFacts(caller, conversationId, factsContent(conversationId, 0), facts);
      return this.#run(caller, conversationId, { kind: 'start', userId: caller.userId, metadata, items: sealed });
    });
  }

  read(userId: UserId, id: string): Promise<ConversationContent | Refusal> {
    return orArchiveUnavailable(() => this.#read(userId, id));
  }

  describe(caller: ArchiveCaller, id: string, facts: ConversationFacts): Promise<Refusal | null> {
    return this.#with(caller, id, async (conversationId, { descriptions }) => {
      const next = factsContent(conversationId, descriptions + 1);
      // One that came to nothing may have left its key.
      await this.#deps.vault.destroy(next);
      const metadata = await this.#sealFacts(caller, conversationId, next, facts);
      const refused = await this.#run(caller, conversationId, { kind: 'describe', userId: caller.userId, metadata });
      if (refused === null) await this.#deps.vault.destroy(factsContent(conversationId, descriptions));
      return refused;
    });
  }

  add(caller: ArchiveCaller, id: string, items: readonly KeptItem[]): Promise<Refusal | null> {
    return this.#with(caller, id, async (conversationId) => {
      const sealed = await this.#seal(caller, conversationId, items);
      return isRefusal(sealed) ? sealed : this.#run(caller, conversationId, { kind: 'add', userId: caller.userId, items: sealed });
    });
  }

  remove(caller: ArchiveCaller, id: string, itemId: string): Promise<Refusal | null> {
    return this.#with(caller, id, async (conversationId) => {
      await this.#deps.vault.destroy(itemContent(conversationId, itemId));
      return this.#run(caller, conversationId, { kind: 'remove', userId: caller.userId, itemId });
    });
  }

  /** Makes all of it unreadable, wherever copies of the log are. */
  delete(caller: ArchiveCaller, id: string): Promise<Refusal | null> {
    return this.#with(caller, id, async (conversationId) => {
      // The keys first: whatever comes between, the contents are gone.
      await this.#deps.vault.destroyGroup(conversationId);
      return this.#run(caller, conversationId, { kind: 'delete', userId: caller.userId });
    });
  }

  #with(
    { userId }: ArchiveCaller,
    id: string,
    work: (conversationId: ConversationId, state: Conversation) => Promise<Refusal | null>,
  ): Promise<Refusal | null> {
    return orArchiveUnavailable(async () => {
      const known = await this.#known(userId, id);
      return isRefusal(known) ? known : work(known.conversationId, known.state);
    });
  }

  async #known(userId: UserId, id: string): Promise<{ readonly conversationId: ConversationId; readonly state: Conversation } | Refusal> {
    const conversationId = ConversationId.safeParse(id);
    if (!conversationId.success) return refuse('not_found', NOT_FOUND);
    const state = await readState(this.#deps.log, conversationStream(conversationId.data), conversation(conversationId.data));
    return state.state === 'open' && state.userId === userId
      ? { conversationId: conversationId.data, state }
      : refuse('not_found', NOT_FOUND);
  }

  async #read(userId: UserId, id: string): Promise<ConversationContent | Refusal> {
    const known = await this.#known(userId, id);
    if (isRefusal(known)) return known;
    const { conversationId, state } = known;
    const [facts, ...items] = await this.#deps.vault.open([
      { contentId: factsContent(conversationId, state.descriptions), ciphertext: state.metadata },
      ...state.items.map(({ itemId, content }) => ({ contentId: itemContent(conversationId, itemId), ciphertext: content })),
    ]);
    if (facts === null || facts === undefined) return refuse('not_found', NOT_FOUND);
    const parsed = (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8'));
    return {
      facts: ConversationFacts.parse(parsed(facts)),
      items: items.filter((bytes) => bytes !== null).map((bytes) => KeptItem.parse(parsed(bytes))),
    };
  }

  async #seal(
    caller: ArchiveCaller,
    conversationId: ConversationId,
    items: readonly KeptItem[],
  ): Promise<readonly ConversationItem[] | Refusal> {
    if (items.length === 0) return [];
    const contents = items.map((item) => ({ contentId: itemContent(conversationId, item.id), bytes: Buffer.from(JSON.stringify(item)) }));
    const ciphertexts = await this.#deps.vault.seal(contents, this.#owner(caller, conversationId));
    const sealed = items.map(({ id }, index) => ({ itemId: id, content: ciphertexts[index] ?? '' }));
    const large = sealed.find(({ content }) => content.length > LOG_LIMITS.eventBytes - ENVELOPE_BYTES);
    return large === undefined ? sealed : refuse('body_too_large', `The item ${large.itemId} is larger than any that is kept.`);
  }

  async #sealFacts(caller: ArchiveCaller, conversationId: ConversationId, contentId: string, facts: ConversationFacts): Promise<string> {
    const content = { contentId, bytes: Buffer.from(JSON.stringify(facts)) };
    const [ciphertext = ''] = await this.#deps.vault.seal([content], this.#owner(caller, conversationId));
    return ciphertext;
  }

  #owner({ userId }: ArchiveCaller, group: ConversationId): ContentOwner {
    return { group, userId, expiresAt: this.#deps.clock.now() + this.#deps.keepMs };
  }

  async #run(caller: ArchiveCaller, conversationId: ConversationId, command: ConversationCommand): Promise<Refusal | null> {
    const { log, appender, clock } = this.#deps;
    const context = archiveContext(caller, clock, command.kind);
    const done = await runCommand(log, appender, conversationStream(conversationId), conversation(conversationId), command, context);
    return isRefusal(done) ? done : null;
  }
}
