import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { NativeBound } from '../../../domain/tokens/native-bound.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { Span } from '../json-spans.ts';

/** Formats of chat, other than the hub's, in which both clients and upstreams speak. */
export type NativeDialectName = 'anthropic' | 'gemini';

/** What a request in such a format says, as far as the relay has to know. */
export interface NativeRequest {
  readonly dialect: NativeDialectName;
  /** As the client sent it. */
  readonly body: Buffer;
  readonly value: Readonly<Record<string, unknown>>;
  readonly model: string;
  /** Where in the body its name is; `null` where the address has it. */
  readonly modelAt: Span | null;
  readonly streamed: boolean;
  /** Most output of one answer, where it says. */
  readonly maxTokens: number | null;
  readonly choices: number;
  readonly answers: { readonly audio: boolean; readonly image: boolean };
  bound(contextTokens: number | undefined): NativeBound;
  /** What of it counts as its prompt for a model of this name. */
  prompt(model: string): Countable;
  /** The same as a request of chat completions, or what of it cannot be said there. With `extras`, for an upstream that understands what the hub carries beside its form. */
  inHubForm(extras: boolean): Readonly<Record<string, unknown>> | Refusal;
}
