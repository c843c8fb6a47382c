import { servesGroup } from '../../domain/relay/choose-channel.ts';
import type { Directory } from '../ports/directory.ts';
import { mayUseModel } from './authenticate.ts';
import type { Caller } from './call.ts';
import { servableAnywhere } from './endpoints/endpoints.ts';

/** A model as OpenAI's format lists it, with what is needed to know what a call may cost. */
export interface ListedModel {
  readonly id: string;
  readonly object: 'model';
  /** Nobody here knows when a model was made; clients want a number. */
  readonly created: number;
  readonly owned_by: string;
  readonly kind: string;
  readonly context_length?: number;
  readonly max_output_tokens?: number;
}

/** A model as Anthropic's format lists it. */
export interface AnthropicModel {
  readonly type: 'model';
  readonly id: string;
  readonly display_name: string;
  readonly created_at: string;
  readonly max_input_tokens?: number;
  readonly max_tokens?: number;
}

export const inAnthropicForm = ({ id, context_length: window, max_output_tokens: most }: ListedModel): AnthropicModel => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(0).toISOString(),
  ...(window === undefined ? {} : { max_input_tokens: window }),
  ...(most === undefined ? {} : { max_tokens: most }),
});

/** A model as Gemini's format lists it. */
export interface GeminiModel {
  /** `models/{id}`. */
  readonly name: string;
  readonly displayName: string;
  readonly inputTokenLimit?: number;
  readonly outputTokenLimit?: number;
  readonly supportedGenerationMethods: readonly string[];
}

const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  ['chat', ['generateContent', 'streamGenerateContent', 'countTokens']],
  ['embedding', ['embedContent', 'batchEmbedContents']],
]);

export const inGeminiForm = ({ id, kind, context_length: window, max_output_tokens: most }: ListedModel): GeminiModel => ({
  name: `models/${id}`,
  displayName: id,
  ...(window === undefined ? {} : { inputTokenLimit: window }),
  ...(most === undefined ? {} : { outputTokenLimit: most }),
  supportedGenerationMethods: METHODS.get(kind) ?? [],
});

/** A model as Ollama lists those that it has. */
export const inOllamaForm = ({ id }: ListedModel): object => ({
  name: id,
  model: id,
  modified_at: new Date(0).toISOString(),
  size: 0,
  digest: '',
  details: { parent_model: '', format: '', family: '', families: [], parameter_size: '', quantization_level: '' },
});

/** The model if this key can call it: it is allowed to, a channel that its group may use serves it, and it has a price. */
export const listedModel = (directory: Directory, caller: Caller, model: string): ListedModel | null => {
  if (!mayUseModel(caller, model)) return null;
  const price = directory.price(model)?.price;
  if (price === undefined || !servableAnywhere(price)) return null;
  const channel = directory.channelsForModel(model).find((candidate) => servesGroup(candidate, caller.user.group));
  if (channel === undefined) return null;
  return {
    id: model,
    object: 'model',
    created: 0,
    owned_by: channel.settings.provider,
    kind: price.kind,
    ...(price.contextTokens === undefined ? {} : { context_length: price.contextTokens }),
    ...(price.maxOutputTokens === undefined ? {} : { max_output_tokens: price.maxOutputTokens }),
  };
};

/** Everything that this key can call, by name. */
export const listModels = (directory: Directory, caller: Caller): readonly ListedModel[] =>
  [...directory.models()].sort().flatMap((model) => listedModel(directory, caller, model) ?? []);
