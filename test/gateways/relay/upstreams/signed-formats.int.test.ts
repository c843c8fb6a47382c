import { expect } from 'chai';
import { startCozeMock, startDifyMock } from '../../../support/fake-upstream/app-mocks.ts';
import { dashscopeError, startDashscopeMock } from '../../../support/fake-upstream/dashscope-mock.ts';
import { hunyuanError, SECRET_ID, SECRET_KEY, startHunyuanMock } from '../../../support/fake-upstream/hunyuan-mock.ts';
import { eventReply, jsonReply, type MockReply, type MockServer } from '../../../support/fake-upstream/mock-server.ts';
import { startWenxinMock, wenxinError } from '../../../support/fake-upstream/wenxin-mock.ts';
import { channel, chatPrice, startRelay, type RelayHarness } from '../relay-harness.ts';

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'Hello.' }] };
const TOOLS = [
  { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
];

interface Format {
  readonly provider: string;
  readonly start: () => Promise<MockServer>;
  readonly base: string;
  readonly model: string;
  readonly key: string;
  readonly wrongKey: string;
  readonly usage: object;
  /** The least that is said, and where. */
  readonly path: string;
  readonly least: object;
  /** It calls tools. */
  readonly tools: boolean;
  readonly image: object | null;
  /** An error that comes with a status of success, and what it comes to. */
  readonly hidden: readonly (readonly [reply: MockReply, status: number])[];
  /** A stream that comes to an error behind its first words. */
  readonly failing: MockReply;
  readonly unsayable: readonly (readonly [asked: object, param: string])[];
}

const USED = { input: 20, output: 7 };
const PICTURE = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } };

const FORMATS: readonly Format[] = [
  {
    provider: 'alibaba-dashscope-native',
    start: startDashscopeMock,
    base: '/api/v1',
    model: 'qwen-plus',
    key: 'sk-1',
    wrongKey: 'wrong',
    usage: { input: 15, cachedInput: 5, output: 4, reasoning: 3 },
    path: '/api/v1/services/aigc/text-generation/generation',
    least: { model: 'qwen-plus', input: { messages: ASKED.messages }, parameters: { result_format: 'message' } },
    tools: true,
    image: PICTURE,
    hidden: [],
    failing: eventReply([
      'id:1\nevent:result\ndata:{"output":{"choices":[{"finish_reason":"null","message":{"role":"assistant","content":"Hel"}}]},"request_id":"r"}\n\n',
      'id:2\nevent:error\n:HTTP_STATUS/500\ndata:{"code":"InternalError","message":"It broke.","request_id":"r"}\n\n',
    ]),
    unsayable: [
      [{ n: 2 }, 'n'],
      [{ tools: TOOLS, tool_choice: 'required' }, 'tool_choice'],
    ],
  },
  {
    provider: 'tencent-hunyuan-native',
    start: startHunyuanMock,
    base: '',
    model: 'hunyuan-turbos-latest',
    key: `${SECRET_ID}|${SECRET_KEY}`,
    wrongKey: `${SECRET_ID}|wrong`,
    usage: USED,
    path: '/',
    least: { Model: 'hunyuan-turbos-latest', Messages: [{ Role: 'user', Content: 'Hello.' }], Stream: false },
    tools: true,
    image: PICTURE,
    hidden: [
      [hunyuanError('LimitExceeded.TooManyRequests', 'Slow down.'), 429],
      [hunyuanError('InvalidParameterValue.Model', 'No such model.'), 400],
    ],
    failing: eventReply([
      'data: {"Choices":[{"Delta":{"Role":"assistant","Content":"Hel"},"FinishReason":""}],"Id":"h"}\n\n',
      'data: {"ErrorMsg":{"Msg":"It broke.","Code":4001},"Id":"h"}\n\n',
    ]),
    unsayable: [[{ n: 2 }, 'n']],
  },
  {
    provider: 'baidu-wenxin',
    start: startWenxinMock,
    base: '/rpc/2.0/ai_custom/v1/wenxinworkshop',
    model: 'ERNIE-4.0-8K',
    key: 'ak|sk-1',
    wrongKey: 'ak|wrong',
    usage: USED,
    path: '/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/completions_pro?access_token=24.token-1',
    least: { messages: ASKED.messages, stream: false },
    tools: false,
    image: null,
    hidden: [
      [wenxinError(18, 'Open api qps request limit reached'), 429],
      [wenxinError(336003, 'Slightly wrong.'), 400],
    ],
    failing: eventReply(['data: {"id":"a","result":"Hel","is_end":false}\n\n', 'data: {"error_code":336100,"error_msg":"It broke."}\n\n']),
    unsayable: [
      [{ tools: TOOLS }, 'tools'],
      [{ messages: [{ role: 'user', content: [PICTURE] }] }, 'messages.0'],
    ],
  },
  {
    provider: 'dify',
    start: startDifyMock,
    base: '/v1',
    model: 'app',
    key: 'app-1',
    wrongKey: '',
    usage: USED,
    path: '/v1/chat-messages',
    least: { inputs: {}, query: 'Hello.', response_mode: 'streaming', conversation_id: '', user: 'oblivious' },
    tools: false,
    image: PICTURE,
    hidden: [],
    failing: eventReply([
      'data: {"event":"message","answer":"Hel","message_id":"m"}\n\n',
      'data: {"event":"error","status":400,"code":"completion_request_error","message":"It broke."}\n\n',
    ]),
    unsayable: [[{ tools: TOOLS }, 'tools']],
  },
  {
    provider: 'coze',
    start: startCozeMock,
    base: '',
    model: '7340001',
    key: 'pat_1',
    wrongKey: '',
    usage: USED,
    path: '/v3/chat',
    least: {
      bot_id: '7340001',
      user_id: 'oblivious',
      stream: true,
      auto_save_history: false,
      additional_messages: [{ role: 'user', type: 'question', content: 'Hello.', content_type: 'text' }],
    },
    tools: false,
    image: PICTURE,
    hidden: [
      [jsonReply(200, { code: 4013, msg: 'Slow down.' }), 429],
      [jsonReply(200, { code: 4000, msg: 'Slightly wrong.' }), 400],
    ],
    failing: eventReply([
      'event:conversation.message.delta\ndata:{"type":"answer","content":"Hel","chat_id":"c"}\n\n',
      'event:conversation.chat.failed\ndata:{"id":"c","status":"failed","last_error":{"code":5000,"msg":"It broke."}}\n\n',
    ]),
    unsayable: [[{ tools: TOOLS }, 'tools']],
  },
];

interface Said {
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: {
      readonly content: string | null;
      readonly tool_calls?: readonly { readonly id: string; readonly function: object }[];
    };
  }[];
}

interface Chunk {
  readonly error?: { readonly message: string };
  readonly choices: readonly {
    readonly delta: {
      readonly content?: string;
      readonly tool_calls?: readonly { readonly index: number; readonly function: { readonly arguments: string } }[];
    };
  }[];
}

const chunksOf = (stream: string): readonly Chunk[] =>
  stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);

for (const format of FORMATS)
  describe(`chats with ${format.provider}`, () => {
    let mock: MockServer;
    let relay: RelayHarness;

    before(async () => {
      mock = await format.start();
    });
    after(() => mock.close());
    beforeEach(async () => {
      mock.requests.length = 0;
      mock.next.length = 0;
      relay = await startRelay();
      relay.directory.prices.set('m', chatPrice('m'));
      serve(format.key);
    });
    afterEach(async () => {
      await relay.idle();
      expect(relay.spending.unended).to.equal(0);
      await relay.close();
    });

    const serve = (key: string): void => {
      relay.directory.channels = [
        channel(mock.url + format.base, { provider: format.provider, models: [`m=${format.model}`], keys: [key] }),
      ];
    };
    const ask = (more: object = {}): Promise<Response> => relay.post('/v1/chat/completions', { ...ASKED, ...more });
    const used = (): object | undefined => relay.spending.charges.at(-1)?.usage;

    it('says what is asked, and charges what was used', async () => {
      const response = await ask();
      const answer = (await response.json()) as Said;
      expect(response.status, JSON.stringify(answer)).to.equal(200);
      expect([answer.choices[0]?.message.content, answer.choices[0]?.finish_reason]).to.deep.equal(['Hello there.', 'stop']);
      await relay.idle();
      expect(used()).to.deep.equal(format.usage);
      const asked = mock.requests.at(-1);
      expect(asked?.path).to.equal(format.path);
      expect(asked?.json).to.deep.equal(format.least);
    });

    it('streams', async () => {
      const text = await (await ask({ stream: true })).text();
      const said = chunksOf(text).flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? ''));
      expect(said.join('')).to.equal('Hello there.');
      expect(said.filter((one) => one !== '').length, 'pieces').to.be.greaterThan(1);
      expect(text.endsWith('data: [DONE]\n\n')).to.equal(true);
      await relay.idle();
      expect(used()).to.deep.equal(format.usage);
    });

    it('tells an error that comes within a stream', async () => {
      mock.next.push(...(format.provider === 'baidu-wenxin' ? [] : [format.failing]));
      if (format.provider === 'baidu-wenxin') {
        await (await ask()).text();
        mock.next.push(format.failing);
      }
      const chunks = chunksOf(await (await ask({ stream: true })).text());
      expect(chunks.some(({ error }) => error !== undefined)).to.equal(true);
    });

    if (format.tools)
      it('has tools called, and tells their results', async () => {
        const said = ((await (await ask({ tools: TOOLS })).json()) as Said).choices[0];
        expect(said?.finish_reason).to.equal('tool_calls');
        expect(said?.message.tool_calls?.map((call) => [call.id, call.function])).to.deep.equal([
          ['call_0', { name: 'weather', arguments: '{"city":"Oslo"}' }],
          ['call_1', { name: 'weather', arguments: '{"city":"Rome"}' }],
        ]);
        const results = said?.message.tool_calls?.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' })) ?? [];
        const next = (await (await ask({ tools: TOOLS, messages: [...ASKED.messages, said?.message, ...results] })).json()) as Said;
        expect(next.choices[0]?.message.content).to.equal('It is sunny in both.');
        const pieces = chunksOf(await (await ask({ tools: TOOLS, stream: true })).text()).flatMap(({ choices }) =>
          choices.flatMap(({ delta }) => delta.tool_calls ?? []),
        );
        const given = [0, 1].map((index) =>
          pieces
            .filter((piece) => piece.index === index)
            .map((piece) => piece.function.arguments)
            .join(''),
        );
        expect(given).to.deep.equal(['{"city":"Oslo"}', '{"city":"Rome"}']);
      });

    if (format.image !== null)
      it('shows an image', async () => {
        const response = await ask({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, format.image] }] });
        expect(response.status, await response.text()).to.equal(200);
        expect(JSON.stringify(mock.requests.at(-1)?.json)).to.include('https://a.example/b.png');
      });

    for (const [reply, status] of format.hidden)
      it(`takes an error with a status of success for one of ${status}`, async () => {
        if (format.provider === 'baidu-wenxin') await (await ask()).text();
        mock.next.push(reply);
        const response = await ask();
        expect(response.status, await response.text()).to.equal(status);
      });

    for (const [asked, param] of format.unsayable)
      it(`refuses ${JSON.stringify(asked).slice(0, 50)}`, async () => {
        const response = await ask(asked);
        const { error } = (await response.json()) as { readonly error: { readonly param: string } };
        expect([response.status, error.param]).to.deep.equal([400, param]);
        expect(mock.requests).to.have.length(0);
      });

    if (format.wrongKey !== '')
      it('puts a key out of use that is refused', async () => {
        serve(format.wrongKey);
        expect((await ask()).status).to.be.greaterThan(399);
        expect(relay.health.refusedKeys).to.have.length(1);
      });
  });

describe('tokens of Baidu', () => {
  it('are got once for many calls, and again when one is taken back', async () => {
    const mock = await startWenxinMock();
    const relay = await startRelay();
    try {
      relay.directory.prices.set('m', chatPrice('m'));
      relay.directory.channels = [
        channel(`${mock.url}/rpc/2.0/ai_custom/v1/wenxinworkshop`, {
          provider: 'baidu-wenxin',
          models: ['m=ERNIE-4.0-8K'],
          keys: ['ak|sk-1'],
        }),
      ];
      const statuses = await Promise.all([1, 2, 3].map(async () => (await relay.post('/v1/chat/completions', ASKED)).status));
      expect([statuses, mock.tokens]).to.deep.equal([[200, 200, 200], 1]);
      mock.stale();
      await (await relay.post('/v1/chat/completions', ASKED)).text();
      expect((await relay.post('/v1/chat/completions', ASKED)).status).to.equal(200);
      expect(mock.tokens).to.equal(2);
      expect(relay.health.refusedKeys).to.deep.equal([]);
    } finally {
      await relay.close();
      await mock.close();
    }
  });
});

describe('errors of DashScope’s', () => {
  it('keep their status and what they say', async () => {
    const mock = await startDashscopeMock();
    const relay = await startRelay();
    try {
      relay.directory.prices.set('m', chatPrice('m'));
      relay.directory.channels = [channel(`${mock.url}/api/v1`, { provider: 'alibaba-dashscope-native' })];
      mock.next.push(dashscopeError(400, 'DataInspectionFailed', 'Input data may contain inappropriate content.'));
      const response = await relay.post('/v1/chat/completions', ASKED);
      expect([response.status, await response.text()]).to.satisfy(
        ([status, text]: [number, string]) => status === 400 && text.includes('inappropriate content'),
      );
    } finally {
      await relay.close();
      await mock.close();
    }
  });
});
