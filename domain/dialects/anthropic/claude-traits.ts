/** What a model of Anthropic's takes, where its generations differ. */
export interface ClaudeTraits {
  /** Whether `temperature`, `top_p` and `top_k` are taken. */
  readonly sampling: boolean;
  /** How it is told to think: by a number of tokens, by itself with an effort, or not at all. */
  readonly thinking: 'budget' | 'adaptive' | 'none';
  /** Whether it can be told not to. */
  readonly disabling: boolean;
  /** Whether it takes a schema of its answer. */
  readonly structured: boolean;
  /** The most that one answer may be; `null` where only the price list knows. */
  readonly maxOutput: number | null;
}

const K = 1_000;

/** By a part of the name, the first that fits. After the tables of providers' clients; what is newer than all of them is taken to be like the newest. */
const TABLE: readonly (readonly [RegExp, ClaudeTraits])[] = [
  [/(?:sonnet|opus)-5-5|fable-5-1/, { sampling: false, thinking: 'adaptive', disabling: false, structured: true, maxOutput: 128 * K }],
  [/fable-5/, { sampling: false, thinking: 'adaptive', disabling: false, structured: true, maxOutput: 128 * K }],
  [
    /haiku-5-5|opus-5|opus-4-[78]|sonnet-5/,
    { sampling: false, thinking: 'adaptive', disabling: true, structured: true, maxOutput: 128 * K },
  ],
  [/opus-4-6|sonnet-4-6/, { sampling: true, thinking: 'adaptive', disabling: true, structured: true, maxOutput: 128 * K }],
  [/(?:opus|sonnet|haiku)-4-5/, { sampling: true, thinking: 'budget', disabling: true, structured: true, maxOutput: 64 * K }],
  [/opus-4-1/, { sampling: true, thinking: 'budget', disabling: true, structured: true, maxOutput: 32 * K }],
  [/opus-4/, { sampling: true, thinking: 'budget', disabling: true, structured: false, maxOutput: 32 * K }],
  [/sonnet-4|3-7-sonnet/, { sampling: true, thinking: 'budget', disabling: true, structured: false, maxOutput: 64 * K }],
  [/claude-3-5|3-5-(?:sonnet|haiku)/, { sampling: true, thinking: 'none', disabling: true, structured: false, maxOutput: 8_192 }],
  [/claude-3/, { sampling: true, thinking: 'none', disabling: true, structured: false, maxOutput: 4_096 }],
  [/claude/, { sampling: false, thinking: 'adaptive', disabling: false, structured: true, maxOutput: null }],
];

/** Models of others behind Anthropic's format: they take what the format's oldest models did, and ignore what they do not know. */
const OTHERS: ClaudeTraits = { sampling: true, thinking: 'budget', disabling: true, structured: true, maxOutput: null };

export const claudeTraits = (upstreamModel: string): ClaudeTraits => {
  const name = upstreamModel.toLowerCase().replaceAll('.', '-');
  return TABLE.find(([pattern]) => pattern.test(name))?.[1] ?? OTHERS;
};
