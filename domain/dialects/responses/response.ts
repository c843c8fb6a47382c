import type { ResponsesRequest } from '../../../schemas/responses/responses-request.ts';
import { isRecord } from '../loose-json.ts';
import type { ResponseUsage } from './usage.ts';

type Json = Readonly<Record<string, unknown>>;

export interface ResponseIdentity {
  /** What stands behind the prefix in the ids of a response and of its items. */
  readonly idBody: string;
  /** As the client named it. */
  readonly model: string;
  /** Seconds since the Unix epoch. */
  readonly createdAt: number;
}

export type ResponseStatus = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed' | 'cancelled';

/** What is known of an answer besides what was asked. */
export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly Json[];
  readonly usage: ResponseUsage | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incomplete: 'max_output_tokens' | 'content_filter' | null;
  /** Seconds since the Unix epoch; `null` while it is not over. */
  readonly completedAt: number | null;
}

const orNull = (value: unknown): unknown => (value === undefined ? null : value);

/** The conversation that a request belongs to; `null`: none. */
export const conversationOf = ({ conversation }: ResponsesRequest): string | null => {
  if (conversation === null || conversation === undefined) return null;
  return typeof conversation === 'string' ? conversation : conversation.id;
};

export const responseIdOf = (idBody: string): string => `resp_${idBody}`;

/** An answer of the Responses API: what was asked, repeated with its defaults filled in, and what came of it. */
export const responseOf = (
  request: ResponsesRequest,
  { idBody, model, createdAt }: ResponseIdentity,
  state: ResponseState,
  isStored: boolean,
): Json => {
  const conversation = conversationOf(request);
  return {
    id: responseIdOf(idBody),
    object: 'response',
    created_at: createdAt,
    ...(state.completedAt === null ? {} : { completed_at: state.completedAt }),
    status: state.status,
    background: request.background ?? false,
    error: state.error,
    incomplete_details: state.incomplete === null ? null : { reason: state.incomplete },
    instructions: orNull(request.instructions),
    max_output_tokens: orNull(request.max_output_tokens),
    max_tool_calls: orNull(request.max_tool_calls),
    model,
    output: state.output,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: orNull(request.previous_response_id),
    ...(conversation === null ? {} : { conversation: { id: conversation } }),
    prompt_cache_key: orNull(request.prompt_cache_key),
    reasoning: { effort: orNull(request.reasoning?.effort), summary: orNull(request.reasoning?.summary) },
    safety_identifier: orNull(request.safety_identifier),
    service_tier: request.service_tier ?? 'default',
    store: isStored,
    temperature: request.temperature ?? 1,
    text: { ...request.text, format: isRecord(request.text?.format) ? request.text.format : { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? 'disabled',
    usage: state.usage,
    user: orNull(request.user),
    metadata: request.metadata ?? {},
  };
};
