import type { Refusal } from '../../schemas/errors.ts';
import type { Endpoint } from './call.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import type { RelayLimits } from './relay-limits.ts';

/** What a client's body comes to as a body of chat completions. */
export type ChatBody = (body: Buffer, limits: RelayLimits) => Buffer | Refusal;

/** An address that can spend. */
export interface SpendingRoute {
  readonly endpoint: Endpoint;
  /** As it stands in metrics and logs. */
  readonly name: string;
  readonly dialect: AnswerDialect;
  /** `null`: the body is one of OpenAI's already. */
  readonly chatBody: ChatBody | null;
}
