import { UNKNOWN_OUTPUT_LIMIT } from '../../../domain/pricing/worst-case.ts';
import type { FrameSocket } from '../../ports/frame-sockets.ts';
import type { Route } from '../route.ts';
import type { AskedResponses } from './asked-responses.ts';
import type { Conversation } from './conversation.ts';
import type { MoneyAhead, Need } from './money-ahead.ts';
import type { RunningResponse } from './running-response.ts';
import type { SessionParties } from './session-parties.ts';
import type { AgreedTerms } from './session-terms.ts';
import type { Settling } from './settling.ts';
import type { Transcripts } from './transcripts.ts';

/** What the events of both sides of a session read and change. */
export interface SessionParts extends SessionParties {
  readonly client: FrameSocket;
  readonly upstream: FrameSocket;
  readonly money: MoneyAhead;
  readonly terms: AgreedTerms;
  readonly conversation: Conversation;
  readonly asked: AskedResponses;
  /** By the ids that the upstream gives them. */
  readonly running: Map<string, RunningResponse>;
  readonly transcripts: Transcripts;
  readonly settling: Settling;
}

/** The most output that a response of the model has. */
export const modelLimitOf = ({ price }: Route): number => price.maxOutputTokens ?? UNKNOWN_OUTPUT_LIMIT;

/** The worst case of a response that would begin now. */
export const needOf = ({ route, terms, conversation, asked }: Pick<SessionParts, 'route' | 'terms' | 'conversation' | 'asked'>): Need => ({
  promptTokens: conversation.mostTokens,
  outputTokens: Math.max(terms.maxOutput(modelLimitOf(route)), asked.mostOutput),
});
