/** Tokens of every answer, whatever way they are told. */
export const TOKENS = { prompt: 20, cached: 5, output: 7, reasoning: 3 } as const;

const { prompt, cached, output, reasoning } = TOKENS;
const TOTALS = { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output };
const REASONING = { completion_tokens_details: { reasoning_tokens: reasoning } };

/** How usage is told, and the classes that it comes to. */
interface Usage {
  readonly told: object;
  readonly classes: Readonly<Record<string, number>>;
}

const ALL = { input: prompt - cached, cachedInput: cached, output: output - reasoning, reasoning };

const AS_OPENAI: Usage = { told: { ...TOTALS, prompt_tokens_details: { cached_tokens: cached }, ...REASONING }, classes: ALL };

/** How one provider behaves where it does not behave like OpenAI. From what is known of it, not from our row of it. */
export interface Manners {
  readonly usage?: Usage;
  /** Where a stream has it: in a chunk of its own unless said otherwise. */
  readonly streamUsage?: 'last_chunk' | 'x_groq' | 'in_choice';
  /** Sends usage in streams that nobody asked for it. */
  readonly usageUnasked?: true;
  readonly reasoningIn?: 'reasoning';
  /** Its own word, and what it means in OpenAI's. */
  readonly finish?: readonly [own: string, meaning: string];
  /** What it sends ahead of a stream's events… */
  readonly comments?: string;
  /** …and ahead of a plain answer's JSON. */
  readonly blankLines?: true;
  /** Members that it refuses. */
  readonly refuses?: readonly string[];
  /** Members that it must be sent, where the caller's body has a counterpart. */
  readonly wants?: readonly string[];
  readonly most?: Readonly<Record<string, number>>;
  /** Where the credential is looked for; as a bearer unless said otherwise. */
  readonly credential?: readonly [header: string, before: string] | null;
  readonly chatPath?: string;
  readonly embeddingsPath?: string;
  /** A chunk ahead of all others, without a choice. */
  readonly firstChunk?: object;
  readonly inEveryAnswer?: object;
  readonly embeddingUsage?: object;
  readonly embeddingRefuses?: readonly string[];
}

const MISTRAL: Manners = {
  usage: { told: { ...TOTALS, num_cached_tokens: cached }, classes: { input: prompt - cached, cachedInput: cached, output } },
  streamUsage: 'last_chunk',
  usageUnasked: true,
  finish: ['model_length', 'length'],
  refuses: ['stream_options', 'user', 'logprobs', 'top_logprobs', 'store', 'seed', 'max_completion_tokens'],
  wants: ['max_tokens', 'random_seed'],
  most: { temperature: 1.5 },
  embeddingRefuses: ['user', 'dimensions'],
};
const ZHIPU: Manners = { streamUsage: 'last_chunk', finish: ['sensitive', 'content_filter'], most: { top_p: 0.99 } };
const MOONSHOT: Manners = {
  usage: { told: { ...TOTALS, cached_tokens: cached }, classes: { input: prompt - cached, cachedInput: cached, output } },
  streamUsage: 'in_choice',
  most: { temperature: 1 },
};
const DASHSCOPE: Manners = {
  usage: {
    told: { ...TOTALS, prompt_tokens_details: { cached_tokens: cached, cache_creation_input_tokens: 4 } },
    classes: { input: prompt - cached - 4, cachedInput: cached, cacheWrite5m: 4, output },
  },
  refuses: ['frequency_penalty'],
};
const MINIMAX: Manners = { inEveryAnswer: { base_resp: { status_code: 0, status_msg: '' } } };

const AZURE_FILTERS = {
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false, severity: 'safe' } } }],
};

const MANNERS: Readonly<Record<string, Manners>> = {
  mistral: MISTRAL,
  'mistral-codestral': MISTRAL,
  'zhipu-bigmodel': ZHIPU,
  'zhipu-bigmodel-jwt': ZHIPU,
  'zhipu-coding-plan': ZHIPU,
  zai: ZHIPU,
  'zai-coding-plan': ZHIPU,
  'moonshot-cn': MOONSHOT,
  'moonshot-intl': MOONSHOT,
  'alibaba-dashscope-cn': DASHSCOPE,
  'alibaba-dashscope-intl': DASHSCOPE,
  'minimax-intl': MINIMAX,
  'minimax-legacy': { ...MINIMAX, chatPath: '/v1/text/chatcompletion_v2' },
  deepseek: {
    usage: {
      told: { ...TOTALS, prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: prompt - cached, ...REASONING },
      classes: ALL,
    },
    comments: ': keep-alive\n\n: keep-alive\n\n',
    blankLines: true,
    finish: ['insufficient_system_resource', 'length'],
    wants: ['max_tokens'],
  },
  xai: {
    usage: {
      told: {
        prompt_tokens: prompt - cached,
        completion_tokens: output - reasoning,
        total_tokens: prompt + output,
        prompt_tokens_details: { cached_tokens: cached },
        ...REASONING,
      },
      classes: ALL,
    },
  },
  groq: {
    streamUsage: 'x_groq',
    usageUnasked: true,
    reasoningIn: 'reasoning',
    refuses: ['logprobs', 'top_logprobs', 'logit_bias'],
  },
  openrouter: { reasoningIn: 'reasoning', comments: ': OPENROUTER PROCESSING\n\n' },
  'baidu-qianfan-v2': { finish: ['normal', 'stop'], wants: ['max_completion_tokens'] },
  sarvam: { credential: ['api-subscription-key', ''] },
  portkey: { credential: ['x-portkey-api-key', ''] },
  'cloudflare-ai-gateway': { credential: ['cf-aig-authorization', 'Bearer '] },
  ollama: { credential: null },
  'azure-openai': { credential: ['api-key', ''], firstChunk: AZURE_FILTERS },
  'azure-openai-deployments': {
    credential: ['api-key', ''],
    firstChunk: AZURE_FILTERS,
    chatPath: '/openai/deployments/model-of-azure-openai-deployments/chat/completions?api-version=2024-10-21',
    embeddingsPath: '/openai/deployments/model-of-azure-openai-deployments/embeddings?api-version=2024-10-21',
  },
  jina: { embeddingUsage: { total_tokens: prompt }, embeddingRefuses: ['encoding_format'] },
  voyage: { embeddingUsage: { total_tokens: prompt }, embeddingRefuses: ['encoding_format', 'dimensions'] },
};

const NONE: Manners = {};

export const mannersOf = (id: string): Manners => MANNERS[id] ?? NONE;

export const usageOf = ({ usage = AS_OPENAI }: Manners): Usage => usage;

/** Ids that are spoken of here: each must be a provider's. */
export const MANNERED: readonly string[] = Object.keys(MANNERS);
