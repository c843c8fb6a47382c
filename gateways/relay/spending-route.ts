import type { Refusal } from '../../schemas/errors.ts';
import type { Call, Caller, Endpoint } from './call.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import type { RelayLimits } from './relay-limits.ts';

/** What a client's body comes to as a body of chat completions. */
export type ChatBody = (body: Buffer, limits: RelayLimits) => Buffer | Refusal;

/** A body as one of chat completions, and how whoever sent it is answered. */
export interface Prepared {
  readonly chat: Buffer;
  readonly dialect: AnswerDialect;
}

/** Makes the body of one call out of more than its bytes. */
export type Prepare = (call: Call, caller: Caller, body: Buffer) => Promise<Prepared | Refusal>;

/** An address that can spend. */
export interface SpendingRoute {
  readonly endpoint: Endpoint;
  /** As it stands in metrics and logs. */
  readonly name: string;
  readonly dialect: AnswerDialect;
  /** `null`: the body is one of OpenAI's already. */
  readonly chatBody: ChatBody | null;
  /** In place of `chatBody`, where the answer's form or the body's takes more than the body. */
  readonly prepare?: Prepare;
}
