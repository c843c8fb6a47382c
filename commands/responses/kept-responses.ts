import { keptResponse, responseStream, type KeptResponse } from '../../domain/response/kept-response.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import { ResponseId, type ConversationId, type RequestId, type UserId } from '../../schemas/ids.ts';
import { KeptContent } from '../../schemas/responses/kept-content.ts';
import { readState } from '../read-state.ts';
import { newEvents, refusalOf, runCommand } from '../run-command.ts';
import { orArchiveUnavailable } from './archive-unavailable.ts';
import type { ContentOwner } from '../ports/content-vault.ts';
import { archiveContext, type ArchiveCaller, type ArchiveDeps } from './archive-context.ts';

/** Of ciphertext in one event, and how many of them: together they stay within what the log takes in one append. */
const PART_CHARACTERS = 512 * 1024;
const MOST_PARTS = 7;

const NOT_FOUND = 'There is no such response.';

export interface ResponseToBegin {
  readonly responseId: ResponseId;
  readonly requestId: RequestId;
  readonly model: string;
  readonly content: KeptContent;
}

export interface ResponseToKeep extends ResponseToBegin {
  readonly conversationId: ConversationId | null;
  /** It was begun: others may have cancelled or deleted it. */
  readonly isBegun: boolean;
}

/** What is said of an answer while it is made has a key of its own. */
const begunContent = (responseId: ResponseId): string => `${responseId}/begun`;

const partsOf = (ciphertext: string): readonly [string, ...string[]] => {
  const parts: [string, ...string[]] = [ciphertext.slice(0, PART_CHARACTERS)];
  for (let at = PART_CHARACTERS; at < ciphertext.length; at += PART_CHARACTERS) parts.push(ciphertext.slice(at, at + PART_CHARACTERS));
  return parts;
};

/**
 * Answers of the Responses API that their callers may ask for again. Each is a stream of its own in the log, and its content is ciphertext
 * there. Whoever asks for another user's finds nothing.
 */
export class KeptResponses {
  readonly #deps: ArchiveDeps;

  constructor(deps: ArchiveDeps) {
    this.#deps = deps;
  }

  /** Durable and readable everywhere when this resolves with `null`. */
  keep(caller: ArchiveCaller, response: ResponseToKeep): Promise<Refusal | null> {
    return orArchiveUnavailable(() => this.#keep(caller, response));
  }

  /** Says that an answer is being made, for whoever asks meanwhile. {@link keep} ends that. */
  begin(caller: ArchiveCaller, response: ResponseToBegin): Promise<Refusal | null> {
    return orArchiveUnavailable(() => this.#begin(caller, response));
  }

  /** Says that an answer that is being made is not wanted any more. */
  cancel(caller: ArchiveCaller, id: string): Promise<Refusal | null> {
    return orArchiveUnavailable(() => this.#cancel(caller, id));
  }

  /** What is kept of an answer, as far as it has come; a refusal where nothing is, or not this user's. */
  read(userId: UserId, id: string): Promise<KeptContent | Refusal> {
    return orArchiveUnavailable(() => this.#read(userId, id));
  }

  /** Makes it unreadable, wherever copies of the log are. */
  delete(caller: ArchiveCaller, id: string): Promise<Refusal | null> {
    return orArchiveUnavailable(() => this.#delete(caller, id));
  }

  async #begin(caller: ArchiveCaller, { responseId, requestId, model, content }: ResponseToBegin): Promise<Refusal | null> {
    const { vault, clock, log, appender } = this.#deps;
    const owner = this.#owner(caller, responseId);
    const [ciphertext = ''] = await vault.seal(
      [{ contentId: begunContent(responseId), bytes: Buffer.from(JSON.stringify(content)) }],
      owner,
    );
    if (ciphertext.length > PART_CHARACTERS) {
      await vault.destroyGroup(responseId);
      return refuse('body_too_large', 'The request is larger than any that is answered in the background.');
    }
    const { userId, tokenId } = caller;
    const expiresAt = new Date(owner.expiresAt).toISOString();
    const command = { kind: 'begin', userId, tokenId, requestId, model, expiresAt, content: ciphertext } as const;
    const context = archiveContext(caller, clock, 'begin');
    const begun = await runCommand(log, appender, responseStream(responseId), keptResponse(responseId), command, context);
    return isRefusal(begun) ? begun : null;
  }

  async #keep(
    caller: ArchiveCaller,
    { responseId, requestId, model, conversationId, content, isBegun }: ResponseToKeep,
  ): Promise<Refusal | null> {
    const { vault, clock, appender, log } = this.#deps;
    const owner = this.#owner(caller, responseId);
    const [ciphertext = ''] = await vault.seal([{ contentId: responseId, bytes: Buffer.from(JSON.stringify(content)) }], owner);
    const parts = partsOf(ciphertext);
    if (parts.length > MOST_PARTS) {
      await vault.destroy(responseId);
      return refuse('body_too_large', 'The answer is larger than any that is kept.');
    }
    const decider = keptResponse(responseId);
    const { userId, tokenId } = caller;
    const expiresAt = new Date(owner.expiresAt).toISOString();
    const command = { kind: 'keep', userId, tokenId, requestId, model, conversationId, expiresAt, content: parts } as const;
    const context = archiveContext(caller, clock, 'keep');
    if (isBegun) {
      const kept = await runCommand(log, appender, responseStream(responseId), decider, command, context);
      if (!isRefusal(kept)) return null;
      await vault.destroy(responseId);
      return kept;
    }
    // Nobody else knows the id yet, so there is nothing to read first.
    const events = decider.decide(command, decider.initial);
    if (isRefusal(events)) return events;
    const outcome = await appender.append({
      stream: responseStream(responseId),
      expectedRevision: 'no_stream',
      events: newEvents(events, context),
    });
    return outcome.outcome === 'appended' ? null : refusalOf(outcome);
  }

  async #cancel(caller: ArchiveCaller, id: string): Promise<Refusal | null> {
    const known = await this.#known(caller.userId, id);
    if (isRefusal(known)) return known;
    const { responseId } = known;
    const { log, appender, clock } = this.#deps;
    const command = { kind: 'cancel', userId: caller.userId } as const;
    const context = archiveContext(caller, clock, 'cancel');
    const done = await runCommand(log, appender, responseStream(responseId), keptResponse(responseId), command, context);
    return isRefusal(done) ? done : null;
  }

  #owner({ userId }: ArchiveCaller, group: ResponseId): ContentOwner {
    return { group, userId, expiresAt: this.#deps.clock.now() + this.#deps.keepMs };
  }

  async #delete(caller: ArchiveCaller, id: string): Promise<Refusal | null> {
    const { vault, clock, log, appender } = this.#deps;
    const known = await this.#known(caller.userId, id);
    if (isRefusal(known)) return known;
    // The key first: whatever comes between, the content is gone.
    await vault.destroyGroup(known.responseId);
    const { responseId } = known;
    const command = { kind: 'delete', userId: caller.userId } as const;
    const context = archiveContext(caller, clock, 'delete');
    const deleted = await runCommand(log, appender, responseStream(responseId), keptResponse(responseId), command, context);
    return isRefusal(deleted) ? deleted : null;
  }

  async #known(userId: UserId, id: string): Promise<{ readonly responseId: ResponseId; readonly state: KeptResponse } | Refusal> {
    const responseId = ResponseId.safeParse(id);
    if (!responseId.success) return refuse('not_found', NOT_FOUND);
    const state = await readState(this.#deps.log, responseStream(responseId.data), keptResponse(responseId.data));
    return state.state !== 'none' && state.state !== 'deleted' && state.userId === userId
      ? { responseId: responseId.data, state }
      : refuse('not_found', NOT_FOUND);
  }

  async #read(userId: UserId, id: string): Promise<KeptContent | Refusal> {
    const known = await this.#known(userId, id);
    if (isRefusal(known)) return known;
    const { responseId, state } = known;
    if (state.content.length !== state.parts) throw new Error(`${responseId} has ${state.content.length} of ${state.parts} parts`);
    const contentId = state.state === 'kept' ? responseId : begunContent(responseId);
    const [bytes] = await this.#deps.vault.open([{ contentId, ciphertext: state.content.join('') }]);
    if (bytes === null || bytes === undefined) return refuse('not_found', NOT_FOUND);
    const content = KeptContent.parse(JSON.parse(bytes.toString('utf8')));
    return state.state === 'cancelled' ? { ...content, response: { ...content.response, status: 'cancelled' } } : content;
  }
}
