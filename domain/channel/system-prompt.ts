import type { SystemPrompt } from '../../schemas/events/channel-rules.ts';

const isSystem = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'role' in message && (message.role === 'system' || message.role === 'developer');

/** The messages of a chat with the operator's text among them. The client's own instructions are those at the beginning. */
export const withSystemPrompt = (messages: readonly unknown[], { text, place }: SystemPrompt): readonly unknown[] => {
  const own = { role: 'system', content: text };
  const first = messages.findIndex((message) => !isSystem(message));
  const lead = first < 0 ? messages.length : first;
  switch (place) {
    case 'before':
      return [own, ...messages];
    case 'behind':
      return [...messages.slice(0, lead), own, ...messages.slice(lead)];
    case 'instead':
      return [own, ...messages.filter((message) => !isSystem(message))];
    case 'where_missing':
      return messages.some(isSystem) ? messages : [own, ...messages];
  }
};

/** What it may add to a prompt, in tokens: no tokenizer makes more than one of a byte; a message has a few around it. */
export const MESSAGE_TOKENS = 16;
