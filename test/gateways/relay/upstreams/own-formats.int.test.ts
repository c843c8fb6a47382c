import { expect } from 'chai';
import OpenAI from 'openai';
import {
  ACCESS_KEY,
  bedrockError,
  eventFrame,
  exceptionFrame,
  framesReply,
  SECRET_KEY,
  startBedrockMock,
} from '../../../support/fake-upstream/bedrock-mock.ts';
import { cohereError, startCohereMock } from '../../../support/fake-upstream/cohere-mock.ts';
import { eventReply, type MockReply, type MockServer } from '../../../support/fake-upstream/mock-server.ts';
import { linesReply, ollamaError, startOllamaMock } from '../../../support/fake-upstream/ollama-mock.ts';
import { channel, chatPrice, KEY, startRelay, type RelayHarness } from '../relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user' as const, content: 'Hello.' }] };
const TOOLS = [
  { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];
const IMAGE = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };

interface Format {
  readonly provider: string;
  readonly start: () => Promise<MockServer>;
  /** Behind the mock's origin. */
  readonly base: string;
  readonly usage: object;
  /** What the upstream has, where its name decides. */
  readonly model?: string;
  readonly key?: string;
  readonly authorization?: RegExp;
  /** A request that is thought about; one with an effort unless said otherwise. */
  readonly thoughtful?: object;
  /** What the least request comes to, and where. */
  readonly path: string;
  readonly least: object;
  readonly callIds: RegExp;
  readonly error: (status: number, message: string) => MockReply;
  /** A stream that is cut off behind its first words. */
  readonly cut: MockReply;
  /** A stream that comes to an error behind its first words. */
  readonly failing: MockReply;
  readonly vectors: boolean;
  /** Asked for what cannot be said, and what is at fault. */
  readonly unsayable: readonly (readonly [asked: object, param: string])[];
  /** Everything that is said otherwise, and as what. */
  readonly said: readonly (readonly [asked: object, sent: object])[];
}

const MESSAGES = [{ role: 'user', content: 'Hello.' }];

const NOVA: Format = {
  provider: 'aws-bedrock',
  start: startBedrockMock,
  base: '',
  key: `${ACCESS_KEY}:${SECRET_KEY}`,
  authorization:
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-date, Signature=/,
  error: bedrockError,
  vectors: false,
  model: 'us.amazon.nova-pro-v1:0',
  usage: { input: 11, cachedInput: 5, cacheWrite5m: 3, cacheWrite1h: 1, output: 7 },
  path: '/model/us.amazon.nova-pro-v1%3A0/converse',
  least: { messages: [{ role: 'user', content: [{ text: 'Hello.' }] }] },
  thoughtful: { messages: [{ role: 'user', content: 'Think.' }] },
  callIds: /^tooluse_[12]$/,
  cut: framesReply(
    [eventFrame('messageStart', { role: 'assistant' }), eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' } })],
    { cut: true },
  ),
  failing: framesReply([
    eventFrame('messageStart', { role: 'assistant' }),
    eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' } }),
    exceptionFrame('throttlingException', 'Too many tokens'),
  ]),
  unsayable: [
    [{ n: 2 }, 'n'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png' } }] }] }, 'messages'],
  ],
  said: [
    [
      { max_tokens: 50, temperature: 1.7, top_p: 0.5, stop: ['x'] },
      { inferenceConfig: { maxTokens: 50, temperature: 1, topP: 0.5, stopSequences: ['x'] } },
    ],
    [{ user: 'somebody', seed: 7, logprobs: true, store: true, metadata: {} }, {}],
    [
      { tools: TOOLS, tool_choice: { type: 'function', function: { name: 'weather' } } },
      {
        toolConfig: {
          tools: [{ toolSpec: { name: 'weather', inputSchema: { json: TOOLS[0]?.function.parameters } } }],
          toolChoice: { tool: { name: 'weather' } },
        },
      },
    ],
    [
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: [{ type: 'text', text: 'See', cache_control: { type: 'ephemeral' } }, IMAGE] },
        ],
      },
      {
        system: [{ text: 'Be brief.' }],
        messages: [
          {
            role: 'user',
            content: [
              { text: 'See' },
              { cachePoint: { type: 'default' } },
              { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } },
            ],
          },
        ],
      },
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'file', file: { filename: 'a/b.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } }] },
        ],
      },
      { messages: [{ role: 'user', content: [{ document: { format: 'pdf', name: 'a b pdf', source: { bytes: 'JVBERg==' } } }] }] },
    ],
  ],
};

const FORMATS: readonly Format[] = [
  NOVA,
  {
    provider: 'cohere',
    start: startCohereMock,
    base: '/v2',
    usage: { input: 15, cachedInput: 5, output: 7 },
    path: '/v2/chat',
    least: { model: 'theirs', messages: MESSAGES, stream: false },
    callIds: /^weather_[12]$/,
    error: cohereError,
    cut: eventReply(
      [
        'event: message-start\ndata: {"type":"message-start","id":"1","delta":{"message":{"role":"assistant"}}}\n\n',
        'event: content-delta\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hel"}}}}\n\n',
      ],
      { cut: true },
    ),
    failing: eventReply([
      'event: message-start\ndata: {"type":"message-start","id":"1","delta":{"message":{"role":"assistant"}}}\n\n',
      'event: content-delta\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hel"}}}}\n\n',
      'event: message-end\ndata: {"type":"message-end","delta":{"error":"Overloaded","finish_reason":"ERROR"}}\n\n',
    ]),
    vectors: true,
    unsayable: [
      [{ n: 2 }, 'n'],
      [{ modalities: ['audio'] }, 'modalities'],
      [{ messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }] }] }, 'messages.0'],
    ],
    said: [
      [{ max_completion_tokens: 50 }, { max_tokens: 50 }],
      [
        { temperature: 1.7, top_p: 1, frequency_penalty: -1, seed: 7 },
        { temperature: 1, p: 0.99, frequency_penalty: 0, seed: 7 },
      ],
      [{ stop: ['a', 'b', 'c', 'd', 'e', 'f'] }, { stop_sequences: ['a', 'b', 'c', 'd', 'e'] }],
      [{ reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }],
      [{ response_format: { type: 'json_object' } }, { response_format: { type: 'json_object' } }],
      [
        { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } } },
        { response_format: { type: 'json_object', json_schema: { type: 'object' } } },
      ],
      [{ tools: TOOLS, tool_choice: 'none' }, { tool_choice: 'NONE' }],
      [{ tools: TOOLS, tool_choice: 'required' }, { tool_choice: 'REQUIRED' }],
      [{ user: 'somebody', logprobs: true, store: true, metadata: {} }, {}],
      [
        { messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, IMAGE] }] },
        { messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, IMAGE] }] },
      ],
    ],
  },
  {
    provider: 'ollama-native',
    start: startOllamaMock,
    base: '/api',
    usage: { input: 20, output: 7 },
    path: '/api/chat',
    least: { model: 'theirs', messages: MESSAGES, stream: false },
    callIds: /^call_20260102030405678901234_[01]$/,
    error: ollamaError,
    cut: linesReply(['{"created_at":"2026","message":{"role":"assistant","content":"Hel"},"done":false}\n', '{"created_at"'], {
      cut: true,
    }),
    failing: linesReply([
      '{"created_at":"2026","message":{"role":"assistant","content":"Hel"},"done":false}\n',
      '{"error":"Overloaded"}\n',
    ]),
    vectors: true,
    unsayable: [
      [{ n: 2 }, 'n'],
      [{ tools: TOOLS, tool_choice: 'required' }, 'tool_choice'],
      [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png' } }] }] }, 'messages.0'],
    ],
    said: [
      [{ max_tokens: 50, temperature: 1.7, seed: 7, stop: 'x' }, { options: { num_predict: 50, temperature: 1.7, seed: 7, stop: ['x'] } }],
      [{ reasoning_effort: 'none' }, { think: false }],
      [{ reasoning_effort: 'minimal' }, { think: 'low' }],
      [{ response_format: { type: 'json_object' } }, { format: 'json' }],
      [
        { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } } },
        { format: { type: 'object' } },
      ],
      [{ user: 'somebody', logprobs: true, store: true, metadata: {} }, {}],
      [
        { messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }, IMAGE] }] },
        { messages: [{ role: 'user', content: 'See', images: ['iVBORw0KGgo='] }] },
      ],
    ],
  },
];

for (const format of FORMATS)
  describe(`an upstream that speaks the format of ${format.provider}, before the official OpenAI client`, () => {
    let upstream: MockServer;
    let relay: RelayHarness;
    let client: OpenAI;

    before(async () => {
      upstream = await format.start();
    });
    after(() => upstream.close());
    beforeEach(async () => {
      upstream.requests.length = 0;
      upstream.next.length = 0;
      relay = await startRelay();
      relay.directory.channels = [
        channel(upstream.url + format.base, {
          provider: format.provider,
          models: [`m=${format.model ?? 'theirs'}`, 'e=vectors'],
          keys: [format.key ?? 'sk-theirs'],
        }),
      ];
      relay.directory.prices.set('m', chatPrice('m'));
      relay.directory.prices.set('e', chatPrice('e', { kind: 'embedding' }));
      client = new OpenAI({ apiKey: KEY, baseURL: relay.baseUrl, maxRetries: 0 });
    });
    afterEach(async () => {
      await relay.idle();
      expect(relay.spending.unended, 'holds that nobody ended').to.equal(0);
      await relay.close();
    });

    const usages = (): readonly unknown[] => relay.spending.charges.map(({ usage }) => usage);
    const ask = (more: object): Promise<unknown> =>
      client.chat.completions.create({ ...ASKED, ...more } as OpenAI.ChatCompletionCreateParamsNonStreaming);

    it('answers, and is charged by what it told', async () => {
      const completion = await client.chat.completions.create(ASKED);
      expect(completion.choices[0]?.message.content).to.equal('Hello there.');
      expect([completion.model, completion.choices[0]?.finish_reason]).to.deep.equal(['m', 'stop']);
      expect(completion.usage).to.deep.include({ prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 });
      expect(usages()).to.deep.equal([format.usage]);
      const [asked] = upstream.requests;
      expect(asked?.path).to.equal(format.path);
      expect(asked?.headers.authorization).to.match(format.authorization ?? /^Bearer sk-theirs$/);
      expect(asked?.json).to.deep.equal(format.least);
    });

    it('streams, and tells usage in a chunk of its own', async () => {
      const stream = client.chat.completions.stream({ ...ASKED, stream_options: { include_usage: true } });
      const completion = await stream.finalChatCompletion();
      expect([completion.model, completion.choices[0]?.finish_reason]).to.deep.equal(['m', 'stop']);
      expect(completion.choices[0]?.message.content).to.equal('Hello there.');
      expect(completion.usage).to.deep.include({ prompt_tokens: 20, completion_tokens: 7 });
      expect(usages()).to.deep.equal([format.usage]);
    });

    it('calls tools, and takes their results', async () => {
      const asked = { ...ASKED, tools: TOOLS };
      const whole = await client.chat.completions.create(asked);
      const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
      for (const { choices } of [whole, streamed]) {
        const message = choices[0]?.message;
        expect(choices[0]?.finish_reason).to.equal('tool_calls');
        const calls = (message?.tool_calls ?? []).map((call) => (call.type === 'function' ? call.function.arguments : ''));
        expect(calls).to.deep.equal(['{"city":"Oslo"}', '{"city":"Rome"}']);
        const ids = (message?.tool_calls ?? []).map(({ id }) => id);
        for (const id of ids) expect(id).to.match(format.callIds);
        expect(new Set(ids).size).to.equal(2);
        const results = ids.map((id) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }));
        const { parsed: _parsed, ...said } = message as NonNullable<typeof message> & { parsed?: unknown };
        const next = await client.chat.completions.create({ ...asked, messages: [...ASKED.messages, said, ...results] });
        expect(next.choices[0]?.message.content).to.equal('It is sunny in both.');
      }
    });

    it('thinks, where it is told to', async () => {
      const asked = { ...ASKED, ...(format.thoughtful ?? { reasoning_effort: 'low' as const }) };
      const whole = await client.chat.completions.create(asked);
      expect(whole.choices[0]?.message).to.include({ reasoning_content: 'Let me think.', content: 'Hello there.' });
      let thought = '';
      for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }))
        thought += (choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
      expect(thought).to.equal('Let me think.');
    });

    for (const [asked, sent] of format.said)
      it(`is told ${JSON.stringify(asked).slice(0, 90)}`, async () => {
        await ask(asked);
        const body = upstream.requests[0]?.json ?? {};
        expect(body).to.deep.include(sent);
        const members = new Set([...Object.keys(format.least), ...Object.keys(sent), ...('tools' in asked ? ['tools'] : [])]);
        // Ollama has no word for a tool that must not be called.
        expect(Object.keys(body).filter((name) => !members.has(name))).to.deep.equal([]);
      });

    for (const [asked, param] of format.unsayable)
      it(`is not asked what it cannot be told: ${param} (${JSON.stringify(asked).slice(0, 60)})`, async () => {
        const error = await ask(asked).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(OpenAI.BadRequestError).and.to.have.property('param').that.includes(param);
        expect(upstream.requests).to.deep.equal([]);
      });

    it('passes on what it says of a request that is wrong', async () => {
      upstream.next.push(format.error(400, 'that is no way to ask'));
      const error = await ask({}).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(OpenAI.BadRequestError).and.to.have.property('message').that.includes('that is no way to ask');
    });

    it('loses a key that it refuses, and fails over from one that is ill', async () => {
      relay.directory.channels = [
        channel(upstream.url + format.base, {
          provider: format.provider,
          models: [`m=${format.model ?? 'theirs'}`],
          keys: [format.key ?? 'a', format.key ?? 'b'],
        }),
      ];
      upstream.next.push(format.error(401, 'invalid api token'));
      await ask({});
      expect(relay.health.refusedKeys).to.have.length(1);
      upstream.next.push(format.error(503, 'try later'));
      expect(await ask({}).catch((thrown: unknown) => thrown)).to.be.instanceOf(OpenAI.InternalServerError);
    });

    for (const [what, reply] of [
      ['is cut off', format.cut],
      ['comes to an error', format.failing],
    ] as const)
      it(`is charged for what came of a stream that ${what}`, async () => {
        upstream.next.push(reply);
        const said: string[] = [];
        const error = await (async () => {
          for await (const chunk of await client.chat.completions.create({ ...ASKED, stream: true }))
            said.push(chunk.choices[0]?.delta.content ?? '');
        })().catch((thrown: unknown) => thrown);
        expect(said.join('')).to.equal('Hel');
        expect(error).to.be.instanceOf(Error);
        await relay.idle();
        expect(relay.spending.charges.map(({ basis }) => basis)).to.deep.equal(['estimated']);
      });

    it('is not taken at its word where it answers with something else', async () => {
      upstream.next.push({ status: 200, headers: { 'content-type': 'application/json' }, pieces: ['{"hello":"there"}'] });
      expect(await ask({}).catch((thrown: unknown) => thrown)).to.be.instanceOf(OpenAI.InternalServerError);
    });

    if (format.vectors)
      it('makes embeddings, and none of tokens', async () => {
        const { data, usage } = await client.embeddings.create({ model: 'e', input: ['a', 'b'], dimensions: 3 });
        expect(data.map(({ embedding }) => embedding)).to.deep.equal([
          [0.5, -0.25, 1],
          [0.5, -0.25, 1],
        ]);
        expect(usage).to.deep.equal({ prompt_tokens: 20, total_tokens: 20 });
        expect(usages()).to.deep.equal([{ input: 20 }]);
        const error = await client.embeddings.create({ model: 'e', input: [[1, 2]] }).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(OpenAI.BadRequestError).and.to.have.property('param', 'input');
      });
  });
