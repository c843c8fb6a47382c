import { isRecord } from '../../../domain/dialects/loose-json.ts';
import type { Teller, Told } from '../../../domain/dialects/chat/told.ts';
import { hubChunks, hubCompletion, isLastEvent } from '../../../domain/dialects/responses/response-events.ts';
import type { Provider } from '../../../domain/providers/provider.ts';
import type { ChannelSettings } from '../../../schemas/events/channel.ts';
import type { ParsedChat } from '../endpoints/chat.ts';
import { EventTranslation } from './event-translation.ts';
import { jsonIn } from './json-bytes.ts';
import { TranslatedAnswer, type Translation } from './translated-answer.ts';
import type { Ask, Asked } from './upstream-dialect.ts';

const NO_HEADERS = {} as const;

/** Whether a channel's upstream is asked in the words of the Responses API: it knows them by itself at its own address, or its operator says so. */
export const speaksResponses = ({ responses, baseUrl }: Pick<ChannelSettings, 'responses' | 'baseUrl'>, provider: Provider): boolean =>
  responses === undefined ? provider.serves.includes('responses') && provider.baseUrl === baseUrl : responses === 'native';

/** Events of a provider's own stream, each with the chunk that the relay counts by. */
class ResponseTeller implements Teller {
  readonly keepsEvents = true;

  push(event: unknown): readonly Told[] {
    const told: Told[] = hubChunks(event).map((chunk) => ({ chunk }));
    if (isRecord(event) && isLastEvent(event['type'])) told.push('done');
    return told;
  }

  end(): readonly Told[] {
    return [];
  }
}

const translationAt = (eventBytes: number): Translation => ({
  answer: (body) => {
    const said = jsonIn(body);
    return isRecord(said) && said['object'] === 'response' ? hubCompletion(said) : null;
  },
  error: (_status, body) => body,
  stream: () => new EventTranslation(new ResponseTeller(), eventBytes),
});

/** A call in the words of the Responses API, which its client used too. */
export const askInResponses = (
  own: NonNullable<ParsedChat['responses']>,
  { parsed, upstreamModel, loweredOutput, limits }: Ask & { readonly parsed: ParsedChat },
): Asked => {
  const { request } = own;
  const asked = request['max_output_tokens'];
  const output =
    loweredOutput === null ? {} : { max_output_tokens: typeof asked === 'number' ? Math.min(asked, loweredOutput) : loweredOutput };
  const streamed = parsed.request.stream === true;
  return {
    path: '/responses',
    headers: NO_HEADERS,
    body: Buffer.from(JSON.stringify({ ...request, model: upstreamModel, ...output })),
    interpreter: (listener) => new TranslatedAnswer(translationAt(limits.eventBytes), streamed, limits, listener),
  };
};
