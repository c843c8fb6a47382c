/** What a piece of an upstream's stream comes to in the hub's form: a chunk (or an error in its place), the end of the stream, or a sign of life. */
export type Told = ToldChunk | 'done' | 'alive';

type Json = Readonly<Record<string, unknown>>;

export type ToldChunk =
  | { readonly chunk: Json; readonly head?: undefined }
  /** One of many that differ in their only choice, behind which nothing is. */
  | { readonly chunk: Json & { readonly choices: readonly [Json] }; readonly head: ChunkHead };

/** What chunks of a stream have in common. */
export interface ChunkHead {
  /** Their JSON up to their choice; written when somebody first wants it. */
  readonly json: string;
}

/** Tells a stream of some dialect in the hub's form, event by event. What it has told never changes any more. */
export interface Teller {
  /** Nothing of the event that could change is in what is told of it, since the same object may come again with other words in it: see `keepsEvents`. */
  push(event: unknown): readonly Told[];
  /** What is told has the event itself in it, which so has to be a new one each time. */
  readonly keepsEvents?: true;
  /** What is left to say when the upstream's bytes have ended. */
  end(): readonly Told[];
  /** What the upstream has said so far of what it took, as `usage` in the hub's form: of a stream that broke off there is no more. */
  usageSoFar?(): Readonly<Record<string, unknown>> | null;
}
