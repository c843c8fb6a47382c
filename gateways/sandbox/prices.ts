import type { Money } from '../../schemas/money.ts';
import type { ModelPrice } from '../../schemas/price.ts';

const perMillion = (cents: number): Money => (BigInt(cents) * 10_000_000n) as Money;

const tenthsOfACent = (tenths: number): Money => (BigInt(tenths) * 1_000_000n) as Money;

/** Nobody pays anybody for the sandbox; it has prices so that everything that happens to real money can be seen happening to it. */
const CHAT = { input: perMillion(10), cachedInput: perMillion(5), output: perMillion(40) };

const chat = (model: string): ModelPrice => ({ model, kind: 'chat', rates: CHAT, maxOutputTokens: 4_096, contextTokens: 128_000 });

export const sandboxPrices: readonly ModelPrice[] = [
  chat('sandbox-echo'),
  chat('sandbox-story'),
  chat('sandbox-story-slow'),
  { ...chat('sandbox-reasoning'), rates: { ...CHAT, reasoning: perMillion(40) } },
  chat('sandbox-tools'),
  { model: 'sandbox-embedding', kind: 'embedding', rates: { input: perMillion(2) }, contextTokens: 8_192 },
  {
    model: 'sandbox-image',
    kind: 'image',
    rates: { image: tenthsOfACent(1) },
    // What is larger than a square of 1024 pixels, or of another form, counts as the dearest.
    pictures: [{ size: '1024x1024', pieces: 4 }, { size: '512x512', pieces: 2 }, { size: '256x256', pieces: 1 }, { pieces: 6 }],
  },
  { model: 'sandbox-speech', kind: 'speech', rates: { character: 1_000n as Money } },
  { model: 'sandbox-transcription', kind: 'transcription', rates: { second: 100_000n as Money } },
  { model: 'sandbox-moderation', kind: 'moderation', rates: { input: perMillion(1) }, contextTokens: 32_000 },
  { model: 'sandbox-rerank', kind: 'rerank', rates: { input: perMillion(2) }, contextTokens: 32_000 },
];

/** Every model that the sandbox serves. */
export const SANDBOX_MODELS: readonly string[] = sandboxPrices.map(({ model }) => model);
