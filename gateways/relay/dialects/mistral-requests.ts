import { chatFromMistral, embeddingsFromMistral } from '../../../domain/dialects/mistral/chat-request.ts';
import { readObject } from '../parse.ts';
import type { HubBody } from '../spending-route.ts';

type Json = Readonly<Record<string, unknown>>;

const rewritten =
  (members: readonly string[], into: (value: Json) => Json): HubBody =>
  (body, limits) => {
    const read = readObject(body, members, limits);
    return 'refused' in read ? read : Buffer.from(JSON.stringify(into(read.value as Json)));
  };

/** A body of Mistral's chat. */
export const mistralChatBody: HubBody = rewritten(['model', 'messages', 'max_tokens', 'stream'], chatFromMistral);
/** A body of Mistral's embeddings. */
export const mistralEmbeddingsBody: HubBody = rewritten(['model', 'input', 'inputs'], embeddingsFromMistral);
