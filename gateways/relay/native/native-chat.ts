import { UNKNOWN_OUTPUT_LIMIT } from '../../../domain/pricing/worst-case.ts';
import type { Countable } from '../../../domain/tokens/chat-text.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import { toldChat, type ChatInOwnForm, type ParsedChat } from '../endpoints/chat.ts';
import type { Bounded } from '../endpoints/endpoint.ts';
import type { NativeRequest } from './native-request.ts';

/** A chat in its client's own format. It goes out as it came wherever the upstream speaks that too, and is converted only where one is tried that does not. */
class NativeChat implements ChatInOwnForm {
  readonly request: NativeRequest;
  readonly #hubs = new Map<boolean, ParsedChat | Refusal>();

  constructor(request: NativeRequest) {
    this.request = request;
  }

  bound(price: ModelPrice): Bounded {
    const { maxTokens, choices, answers } = this.request;
    const { tokens, audio, image, pictures, toolUses } = this.request.bound(price.contextTokens);
    const limit = price.maxOutputTokens;
    const each = maxTokens === null ? (limit ?? UNKNOWN_OUTPUT_LIMIT) : limit === undefined ? maxTokens : Math.min(maxTokens, limit);
    return {
      choices,
      predicted: 0,
      pictures,
      bound: {
        promptTokens: tokens,
        outputTokens: each * choices,
        audioInput: audio,
        imageInput: image,
        audioOutput: answers.audio,
        imageOutput: answers.image,
        toolUses,
      },
    };
  }

  /** Made when the first upstream that speaks another format is tried. */
  hub(extras: boolean): ParsedChat | Refusal {
    const known = this.#hubs.get(extras);
    if (known !== undefined) return known;
    const said = this.request.inHubForm(extras);
    const hub = isRefusal(said) ? said : toldChat(said);
    this.#hubs.set(extras, hub);
    return hub;
  }

  prompt(model: string): Countable {
    return this.request.prompt(model);
  }
}

/** A native request as the steps of the pipeline know chats. Its spans are those of no bytes: nothing is put into the client's own. */
export const parsedNatively = (request: NativeRequest): ParsedChat => ({
  endpoint: 'chat',
  body: request.body,
  request: { model: request.model, messages: [], stream: request.streamed, stream_options: { include_usage: true } },
  spans: { model: { start: 0, end: 0 }, streamOptions: null, maxTokens: null, maxCompletionTokens: null },
  inside: 0,
  native: new NativeChat(request),
});
