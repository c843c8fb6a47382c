import { z } from 'zod';
import { ModelPrice, type ModelKind, type PicturePieces } from '../../schemas/price.ts';
import type { UsageClass } from '../../schemas/usage.ts';

/** A JSON text with every number in it turned into a string: a parser would make floats of them, and some decimals have none. */
const numbersAsText = (json: string): string =>
  json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) => (token.startsWith('"') ? token : `"${token}"`));

/**
 * A decimal such as `2.5`, `0.00028333333` or `1e-7` times a power of ten, as an integer. What is smaller than one unit is rounded
 * up: a price is never lower than the figure it stands for.
 */
export const scaleUp = (decimal: string, power: number): bigint => {
  const match = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(decimal);
  if (match === null) throw new Error(`not a price: ${decimal}`);
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const shift = power + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const unit = 10n ** BigInt(-shift);
  return (digits + unit - 1n) / unit;
};

/** Dollars to nano-dollars; a price per million characters is one per character besides. */
const NANOS = 9;
const NANOS_PER_MILLIONTH = NANOS - 6;

const TOKEN_FIGURES: Readonly<Record<string, UsageClass>> = {
  input: 'input',
  cached_input: 'cachedInput',
  cache_write: 'cacheWrite5m',
  cache_write_1h: 'cacheWrite1h',
  output: 'output',
  output_reasoning: 'reasoning',
  audio_input: 'audioInput',
  audio_output: 'audioOutput',
  image_input_tokens: 'imageInput',
  image_output_tokens: 'imageOutput',
};

const KINDS: Readonly<Record<string, ModelKind>> = {
  chat: 'chat',
  responses: 'responses',
  completion: 'completion',
  embedding: 'embedding',
  image_generation: 'image',
  audio_speech: 'speech',
  audio_transcription: 'transcription',
  rerank: 'rerank',
  moderation: 'moderation',
  video_generation: 'video',
};

const Decimal = z.string();
const Figures = z.record(z.string(), z.unknown());
/** A limit of zero means that nobody wrote one down. */
const Row = z.looseObject({
  id: z.string(),
  provider: z.string(),
  mode: z.string(),
  key: z.string().optional(),
  context: z.coerce.number().int().nonnegative().optional(),
  per_image: z.string().optional(),
  per_image_by: z.record(z.string(), z.string()).optional(),
  max_output: z.coerce.number().int().nonnegative().optional(),
  above: z.record(z.string().regex(/^\d+k$/), Figures).optional(),
  tiers: z.array(z.looseObject({ range: z.tuple([z.coerce.number(), z.coerce.number()]) })).optional(),
});
type Row = z.infer<typeof Row>;

type RateTexts = Partial<Record<UsageClass, string>>;

const figure = (figures: Readonly<Record<string, unknown>>, name: string, power: number): string | undefined =>
  figures[name] === undefined ? undefined : scaleUp(Decimal.parse(figures[name]), power).toString();

const tokenRates = (figures: Readonly<Record<string, unknown>>): RateTexts => {
  const rates: RateTexts = {};
  for (const [name, usageClass] of Object.entries(TOKEN_FIGURES)) {
    const rate = figure(figures, name, NANOS);
    if (rate !== undefined) rates[usageClass] = rate;
  }
  return rates;
};

/** Collected figures are off by what somebody's division by a number of pixels left; prices of pictures are whole tenths of a cent. */
const TENTH_OF_A_CENT = 1_000_000n;

const greatestDivisor = (a: bigint, b: bigint): bigint => (b === 0n ? a : greatestDivisor(b, a % b));

/** Prices by `quality/size`, or by size alone, as multiples of the largest amount of which all of them are. What a picture is that nobody says more of comes first. */
const picturesOf = (row: Row): { readonly piece: bigint; readonly pictures: readonly PicturePieces[] } | null => {
  const by = row.per_image_by;
  if (by === undefined) return null;
  const prices = Object.entries(by).map(([name, dollars]) => {
    const [size = '', quality] = name.split('/').toReversed();
    const tenths = (scaleUp(dollars, NANOS) + TENTH_OF_A_CENT - 1n) / TENTH_OF_A_CENT;
    return { size, quality, nanos: tenths * TENTH_OF_A_CENT };
  });
  const piece = prices.reduce((divisor, { nanos }) => greatestDivisor(nanos, divisor), 0n);
  const usual = scaleUp(row.per_image ?? '0', NANOS);
  const pictures = prices.map(({ size, quality, nanos }) => ({
    size,
    ...(quality === undefined ? {} : { quality }),
    pieces: Number(nanos / piece),
    isUsual: nanos === usual,
  }));
  return {
    piece,
    pictures: pictures.toSorted((a, b) => Number(b.isUsual) - Number(a.isUsual)).map(({ isUsual: _isUsual, ...line }) => line),
  };
};

/** Rates by the piece. Where a model has token rates too, seconds and characters are the same thing measured again, and are left out. */
const pieceRates = (row: Row, tokens: RateTexts): RateTexts => {
  const rates: RateTexts = {};
  const put = (usageClass: UsageClass, rate: string | undefined): void => {
    if (rate !== undefined) rates[usageClass] = rate;
  };
  put('call', figure(row, 'per_request', NANOS) ?? figure(row, 'per_query', NANOS));
  put('toolUse', figure(row, 'search_per_call', NANOS));
  if (tokens.imageOutput === undefined) put('image', picturesOf(row)?.piece.toString() ?? figure(row, 'per_image', NANOS));
  if (Object.keys(tokens).length === 0) {
    put('second', figure(row, 'per_second', NANOS));
    put('character', figure(row, 'per_1m_chars', NANOS_PER_MILLIONTH));
  }
  return rates;
};

/** Where a tier prices the short cache write and forgets the long one, the long one rises in the same proportion. */
const withLongCacheWrite = (base: RateTexts, tier: RateTexts): RateTexts => {
  const [short, long, tierShort] = [base.cacheWrite5m, base.cacheWrite1h, tier.cacheWrite5m].map((rate) => BigInt(rate ?? 0));
  if (!short || !long || !tierShort || tier.cacheWrite1h !== undefined) return tier;
  return { ...tier, cacheWrite1h: ((long * tierShort + short - 1n) / short).toString() };
};

const priceOf = (row: Row, name: string): unknown => {
  const [first, ...later] = row.tiers ?? [];
  const tokens = { ...tokenRates(row), ...(first === undefined ? {} : tokenRates(first)) };
  const kind = KINDS[row.mode] ?? 'other';
  const pictures = tokens.imageOutput === undefined ? picturesOf(row) : null;
  // An embedding has no output; a rate for it would only be read as one.
  if (kind === 'embedding') delete tokens.output;
  const tiers = [
    ...later.map((tier) => ({ abovePromptTokens: tier.range[0], rates: withLongCacheWrite(tokens, tokenRates(tier)) })),
    ...Object.entries(row.above ?? {}).map(([threshold, figures]) => ({
      abovePromptTokens: Number(threshold.slice(0, -1)) * 1_000,
      rates: withLongCacheWrite(tokens, tokenRates(figures)),
    })),
  ].sort((a, b) => a.abovePromptTokens - b.abovePromptTokens);
  return {
    model: name,
    kind,
    rates: { ...tokens, ...pieceRates(row, tokens) },
    ...(pictures === null ? {} : { pictures: pictures.pictures }),
    ...(tiers.length === 0 ? {} : { tiers }),
    ...(!row.max_output ? {} : { maxOutputTokens: row.max_output }),
    ...(!row.context ? {} : { contextTokens: row.context }),
  };
};

const hasNeededRates = ({ kind, rates }: ModelPrice): boolean => {
  if (rates.call !== undefined) return true;
  if (kind === 'chat' || kind === 'completion' || kind === 'responses') return rates.input !== undefined && rates.output !== undefined;
  return kind === 'embedding' ? rates.input !== undefined : Object.keys(rates).length > 0;
};

export interface ImportedPrices {
  readonly models: readonly ModelPrice[];
  /** Rows that say too little to charge by. */
  readonly left: readonly string[];
}

/**
 * Model prices from a table of figures: a JSON array of rows `{id, provider, mode, …}` with dollars per million tokens, per piece, and
 * whole-call rates above a prompt length. A name that several providers share is the first one's; the others' go under `provider/name`.
 */
export const readFigures = (json: string): ImportedPrices => {
  const rows = z.array(z.looseObject({})).parse(JSON.parse(numbersAsText(json)));
  const models = new Map<string, ModelPrice>();
  const left: string[] = [];
  for (const raw of rows) {
    if ('_meta' in raw) continue;
    const row = Row.parse(raw);
    const name = models.has(row.id) ? (row.key ?? `${row.provider}/${row.id}`) : row.id;
    if (models.has(name)) throw new Error(`${name} is listed twice`);
    const price = ModelPrice.parse(priceOf(row, name));
    if (hasNeededRates(price)) models.set(name, price);
    else left.push(name);
  }
  return { models: [...models.values()].sort((a, b) => (a.model < b.model ? -1 : 1)), left };
};
