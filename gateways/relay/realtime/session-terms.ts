type UnknownRecord = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is UnknownRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

const recordOf = (value: unknown): UnknownRecord => (isRecord(value) ? value : {});

/** What of a session's settings decides about money; a member that is absent was not spoken of. */
export interface SessionTerms {
  /** Tokens that one response may have; `null`: as many as the model writes. */
  readonly maxOutput?: number | null;
  /** Whether the upstream begins responses by itself, once it hears that somebody has spoken. */
  readonly answersByItself?: boolean;
  /** The model that writes down what is said; `null`: none. */
  readonly transcriber?: string | null;
  /** Of the sound that comes in, and of what the model speaks. */
  readonly bytesPerSecond?: number;
  readonly spokenBytesPerSecond?: number;
}

/** Eight thousand samples a second of a byte each: of all formats the one with the most sound in a byte. */
export const DENSEST_BYTES_PER_SECOND = 8_000;

const bytesPerSecondOf = (format: unknown): number | undefined => {
  if (format === undefined) return undefined;
  const { type, rate } = recordOf(format);
  if (format === 'pcm16') return 48_000;
  if (type === 'audio/pcm') return typeof rate === 'number' && rate >= 8_000 && rate <= 192_000 ? 2 * rate : 48_000;
  return DENSEST_BYTES_PER_SECOND;
};

/** The most output tokens that are asked for, in the words of the present interface or of the one before; `undefined`: nothing is said. */
export const maxOutputOf = (asked: UnknownRecord): number | null | undefined => {
  const said = asked['max_output_tokens'] ?? asked['max_response_output_tokens'];
  if (said === undefined || said === null) return undefined;
  return typeof said === 'number' && Number.isSafeInteger(said) && said > 0 ? said : null;
};

/** Reads a `session` object, the client's or the upstream's, in the words of the present interface or of the one before. */
export const termsOf = (session: unknown): SessionTerms => {
  const said = recordOf(session);
  const input = recordOf(recordOf(said['audio'])['input']);
  const terms: { -readonly [K in keyof SessionTerms]: SessionTerms[K] } = {};
  const maxOutput = maxOutputOf(said);
  if (maxOutput !== undefined) terms.maxOutput = maxOutput;
  const turns = input['turn_detection'] === undefined ? said['turn_detection'] : input['turn_detection'];
  if (turns !== undefined) terms.answersByItself = turns !== null && recordOf(turns)['create_response'] !== false;
  const transcription = input['transcription'] === undefined ? said['input_audio_transcription'] : input['transcription'];
  if (transcription === null) terms.transcriber = null;
  else if (typeof recordOf(transcription)['model'] === 'string') terms.transcriber = recordOf(transcription)['model'] as string;
  const bytesPerSecond = bytesPerSecondOf(input['format'] ?? said['input_audio_format']);
  if (bytesPerSecond !== undefined) terms.bytesPerSecond = bytesPerSecond;
  const spoken = bytesPerSecondOf(recordOf(recordOf(said['audio'])['output'])['format'] ?? said['output_audio_format']);
  if (spoken !== undefined) terms.spokenBytesPerSecond = spoken;
  return terms;
};

/** Updates that the upstream has not answered, as one that it refused is not. Each is looked at with every word that is said. */
const MOST_OPEN = 256;

/**
 * The terms of a session as the upstream has confirmed them, and as the client has asked for them since: what was asked may hold
 * already or never, so that the dearer of both is what counts.
 */
export class AgreedTerms {
  #confirmed: SessionTerms = {};
  readonly #asked: SessionTerms[] = [];

  /** No more can be asked for. */
  get isFull(): boolean {
    return this.#asked.length >= MOST_OPEN;
  }

  asked(session: unknown): void {
    this.#asked.push(termsOf(session));
  }

  /** The upstream has said how things stand. `answersUpdate`: to the first of the updates that are still open. */
  confirmed(session: unknown, answersUpdate: boolean): void {
    this.#confirmed = { ...this.#confirmed, ...termsOf(session) };
    if (answersUpdate) this.#asked.shift();
  }

  maxOutput(modelLimit: number): number {
    const limits = [this.#confirmed, ...this.#asked.filter(({ maxOutput }) => maxOutput !== undefined)];
    return Math.max(...limits.map(({ maxOutput }) => Math.min(maxOutput ?? modelLimit, modelLimit)));
  }

  get answersByItself(): boolean {
    return this.#confirmed.answersByItself !== false || this.#asked.some(({ answersByItself }) => answersByItself === true);
  }

  /** The model that writes down what is said, by the newest word on it. */
  get transcriber(): string | null {
    for (const { transcriber } of [...this.#asked].reverse()) if (transcriber !== undefined && transcriber !== null) return transcriber;
    return this.#confirmed.transcriber ?? null;
  }

  get spokenBytesPerSecond(): number {
    return this.#confirmed.spokenBytesPerSecond ?? 48_000;
  }

  get bytesPerSecond(): number {
    const rates = this.#asked.map(({ bytesPerSecond }) => bytesPerSecond ?? Number.MAX_SAFE_INTEGER);
    return Math.min(this.#confirmed.bytesPerSecond ?? DENSEST_BYTES_PER_SECOND, ...rates);
  }
}
