import type { CallBound } from '../../../domain/pricing/worst-case.ts';
import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import type { Countable } from '../../../domain/tokens/chat-text.ts';
import type { Refusal } from '../../../schemas/errors.ts';
import type { Endpoint as Door } from '../../../schemas/events/token.ts';
import type { ModelKind, ModelPrice } from '../../../schemas/price.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { Conversion } from '../convert.ts';
import type { HubAnswer } from '../hub-answer.ts';
import type { Span } from '../json-spans.ts';
import type { RelayLimits } from '../relay-limits.ts';
import type { Upload } from '../upload.ts';
import type { ModelCounter } from './count-tokens.ts';

/** What a request can use at most. */
export interface Bounded {
  readonly bound: CallBound;
  /** Answers that share the bound's output. */
  readonly choices: number;
  /** The part of the bound's output that no limit on the answer lowers. */
  readonly predicted: number;
  /** Pictures in the prompt, each taken at the most that a model of the name in the request makes of one; absent: none. */
  readonly pictures?: number;
}

/** A whole answer, and where its `usage` is in its bytes, as far as it has those. */
export interface WholeAnswer {
  readonly body: HubAnswer;
  readonly usage: Span | null;
}

/** What was heard of a stream that was passed on as it came. */
export interface Heard {
  /** Values of `usage`, event by event. */
  readonly usages: readonly unknown[];
  /** Events that ended something: a picture, a text, a piece of speech. */
  readonly ended: number;
  /** What was said in it, where its events say anything. */
  readonly text: string;
}

/**
 * How an answer comes.
 * - `asked`: as a whole in JSON, or as events where the caller asked for a stream.
 * - `told`: as events where its content type says so, else as a whole of whatever type.
 * - `bytes`: as events where its content type says so, as a whole where it is JSON, else as bytes that are passed on as they come.
 */
export type AnswerForm = 'asked' | 'told' | 'bytes';

/** What decides about the money of one kind of call. `P` is its request once it is parsed. */
export interface EndpointMoney<P> {
  /** What a key must be allowed to be used for. */
  readonly door: Door;
  /** Kinds of models that can be called here. */
  readonly kinds: ReadonlySet<ModelKind>;
  /** Whether a price says what such a call costs. Zero is an answer; silence is not. */
  canCharge(price: ModelPrice): boolean;
  bound(parsed: P, price: ModelPrice): Bounded;
  /** The best guess at what a call used whose upstream did not say. */
  estimate(counter: ModelCounter, parsed: P, price: ModelPrice, produced: Countable): Promise<Usage>;
  /** Uses of tools that are charged beside tokens. */
  toolUses(parsed: P): number;
}

/**
 * Everything that the relay has to know of one kind of request: what it asks for, what that may cost, and how to see from its
 * answer what it did.
 */
export interface EndpointRules<P> extends EndpointMoney<P> {
  /** `either`: JSON or a form, as the caller likes. `upload`: a form that is passed on while it comes. */
  readonly bodies: 'json' | 'form' | 'either' | 'upload';
  readonly answers: AnswerForm;
  /** Behind the base URL of an upstream that speaks OpenAI's format. */
  readonly path: string;
  /** The same, where it depends on what is asked. */
  pathFor?(parsed: P): string;
  /** `boundary`: of a form. */
  parse(body: Buffer, limits: RelayLimits, boundary?: string): P | Refusal;
  /** In place of `parse`, for uploads. */
  parseUpload?(upload: Upload, boundary: string): P | Refusal;
  /** Whether a stream was asked for. */
  streamed(parsed: P): boolean;
  /** The body as an upstream of OpenAI's format gets it: the client's own bytes, but for the few that must differ. */
  convert(parsed: P, conversion: Conversion): Buffer;
  /** Headers of the upstream's request, beside those of every call. */
  headers(parsed: P): Readonly<Record<string, string>>;
  /** What a whole answer says that the call used, in classes that the price has a rate for. */
  reading(answer: WholeAnswer, parsed: P, price: ModelPrice): UsageReading;
  /** The same of a stream that is passed on as it comes; absent where streams are text that is written token by token. */
  heard?(heard: Heard, parsed: P, price: ModelPrice): UsageReading;
  /** What was said in a whole answer, for where it does not say what it used. */
  produced(body: HubAnswer): Countable;
  /** The last change to a whole answer in OpenAI's form before the client gets it. */
  finish(body: Buffer, parsed: P): Buffer;
}
