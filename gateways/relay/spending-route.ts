import type { Refusal } from '../../schemas/errors.ts';
import type { ChannelId, ChannelKeyId } from '../../schemas/ids.ts';
import type { Call, Caller } from './call.ts';
import type { Unheard } from './detached-call.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import type { ResponsesWords } from './endpoints/chat.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { TaskAsked } from './tasks/task-asked.ts';

/** What a client's body comes to as a body of the form that its endpoint has within the relay: OpenAI's. */
export type HubBody = (body: Buffer, limits: RelayLimits) => Buffer | Refusal;

/** A body in its client's own format, read. */
export type ParseNative = (body: Buffer, limits: RelayLimits) => ParsedRequest | Refusal;

/** A call that goes on without its client: who is told of it, and how the client is answered. */
export interface Background {
  /** Its money is set aside; a refusal ends it. */
  begin(call: Call): Promise<Refusal | null>;
  answer(client: Call): Promise<void>;
  /** It is over, whatever became of it. */
  ended(call: Call, unheard: Unheard): Promise<void>;
}

/** Where something is that a call is about. */
export interface Pinned {
  readonly channelId: ChannelId;
  readonly keyId: ChannelKeyId | null;
}

/** A body in its endpoint's form within the relay, and how whoever sent it is answered. */
export interface Prepared {
  readonly body: Buffer;
  readonly dialect: AnswerDialect;
  readonly responses?: ResponsesWords;
  /** The call goes on without its client. */
  readonly background?: Background;
  /** The body, read already. */
  readonly parsed?: ParsedRequest;
  /** The only channel, and there the only key, that the call can go to: what it is about is there. */
  readonly pinned?: Pinned;
  /** What it asks for takes longer than the call. */
  readonly task?: TaskAsked;
}

/** Makes the body of one call out of more than its bytes. */
export type Prepare = (call: Call, caller: Caller, body: Buffer) => Promise<Prepared | Refusal>;

/** An address that can spend. */
export interface SpendingRoute {
  readonly endpoint: ParsedRequest['endpoint'];
  /** As it stands in metrics and logs. */
  readonly name: string;
  readonly dialect: AnswerDialect;
  /** `null`: the body is one of OpenAI's already. */
  readonly hubBody: HubBody | null;
  /** Reads a body in a format that upstreams speak too, for whom it stays as it is; `hubBody` is `null` then. */
  readonly parseNative?: ParseNative;
  /** Why this caller may not ask for it in this way; `null`: he may. */
  readonly bars?: (caller: Caller) => Refusal | null;
  /** In place of `hubBody`, where the answer's form or the body's takes more than the body. */
  readonly prepare?: Prepare;
}
