import { expect } from 'chai';
import fc from 'fast-check';
import { chatRequestOf as chatOfMessages } from '../../../domain/dialects/anthropic/chat-request.ts';
import { messagesBody } from '../../../domain/dialects/anthropic/messages-body.ts';
import { chatRequestOf as chatOfGenerate } from '../../../domain/dialects/gemini/chat-request.ts';
import { generateBody } from '../../../domain/dialects/gemini/generate-body.ts';
import { MessagesRequest } from '../../../schemas/anthropic/messages-request.ts';
import { GenerateContentRequest } from '../../../schemas/gemini/generate-content-request.ts';
import { ChatRequest } from '../../../schemas/openai/chat-request.ts';

type Json = Readonly<Record<string, unknown>>;

// A text at the end of a conversation is one to be gone on with, whose white space Anthropic does not take: none here ends in any.
const text = fc.string({ minLength: 1, maxLength: 12 }).map((said) => `${said}.`);
const image = fc
  .base64String({ minLength: 4, maxLength: 16 })
  .map((data) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } }));
const user = fc.oneof(
  text.map((content): Json => ({ role: 'user', content })),
  fc.tuple(text, image).map(([said, shown]): Json => ({ role: 'user', content: [{ type: 'text', text: said }, shown] })),
);
const call = fc.record({
  name: fc.constantFrom('look', 'touch'),
  arguments: fc.dictionary(fc.string({ maxLength: 4 }), fc.oneof(fc.integer(), text), { maxKeys: 3 }),
});

/** What an assistant says, with the results of its calls if it makes any. */
const answer = fc
  .tuple(fc.option(text), fc.array(fc.tuple(call, text), { maxLength: 3 }), fc.nat(1_000_000))
  .map(([said, calls, seed]): readonly Json[] => {
    if (calls.length === 0) return [{ role: 'assistant', content: said ?? 'Yes.' }];
    const tools = calls.map(([made], index) => ({
      id: `call_${seed}_${index}`,
      type: 'function',
      function: { name: made.name, arguments: JSON.stringify(made.arguments) },
    }));
    return [
      { role: 'assistant', content: said, tool_calls: tools },
      ...calls.map(([, result], index): Json => ({ role: 'tool', tool_call_id: `call_${seed}_${index}`, content: result })),
      { role: 'assistant', content: 'Done.' },
    ];
  });

const conversation = fc
  .tuple(fc.option(text), fc.array(fc.tuple(user, answer), { minLength: 1, maxLength: 4 }), user)
  .map(([system, turns, last]): readonly Json[] => [
    ...(system === null ? [] : [{ role: 'system', content: system }]),
    ...turns.flatMap(([asked, answered]) => [asked, ...answered]),
    last,
  ]);

const tools = fc.constantFrom(
  {},
  {
    tools: [
      {
        type: 'function',
        function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: { at: { type: 'string' } } } },
      },
    ],
  },
);
const choices = fc.constantFrom({}, { tool_choice: 'required' }, { tool_choice: 'auto' });
const sampling = fc.constantFrom({}, { temperature: 0.5 }, { stop: ['a', 'b'] }, { max_tokens: 77 });

const request = fc.tuple(conversation, tools, choices, sampling).map(([messages, offered, chosen, sampled]): Json => ({
  model: 'm',
  messages,
  ...offered,
  ...('tools' in offered ? chosen : {}),
  ...sampled,
}));

/** Object members have no order, and arguments are text. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name, member: unknown) =>
    name === 'arguments' && typeof member === 'string' ? (JSON.parse(member) as unknown) : member,
  );

describe('a chat request that goes through another format and back', () => {
  it('is the same behind Anthropic’s', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const body = messagesBody(ChatRequest.parse(asked), { upstreamModel: 'm', modelLimit: 4_096, loweredOutput: null });
        const { max_tokens: limit, tools: described, ...back } = chatOfMessages(MessagesRequest.parse(body), false) as Json;
        const { max_tokens: asking, tools: offered, ...rest } = asked;
        expect(plain(back)).to.deep.equal(plain(rest));
        expect(limit).to.equal(asking ?? 4_096);
        // Tools that were called but not described are described, as they must be.
        if (offered !== undefined) expect(described).to.deep.equal(offered);
      }),
    );
  });

  it('is the same behind Google’s', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const body = generateBody(ChatRequest.parse(asked), { upstreamModel: 'gemini-3-flash', loweredOutput: null });
        const back = chatOfGenerate('m', GenerateContentRequest.parse(body), false) as Json;
        expect(plain(back)).to.deep.equal(plain(asked));
      }),
    );
  });
});
