/** A city, and what is asked of tools about it. */
export interface City {
  readonly city: string;
}

/** What a client throws of an answer that is an error. */
export interface Thrown {
  readonly status: number | undefined;
  readonly message: string;
}

/** One client, asking for what every one of them can. Each call makes a conversation of its own. */
export interface MatrixClient {
  readonly name: string;
  /** The format in which it speaks to us. */
  readonly format: string;
  text(): Promise<string>;
  streamedText(): Promise<string>;
  /** Offers a tool, is called twice at once in a stream, sends both results back, and tells what is said then. */
  tools(): Promise<{ readonly calls: readonly City[]; readonly text: string }>;
  structured(): Promise<unknown>;
  /** Shows a PNG. */
  image(): Promise<string>;
  /** Reads one piece of a stream and goes. */
  leave(): Promise<void>;
  thrown(error: unknown): Thrown;
  /** `null`: it has none. */
  readonly embed: ((texts: readonly string[]) => Promise<readonly (readonly number[])[]>) | null;
}

/** What models are called here, by clients that have their own idea of each name. */
export const CLAUDE = 'claude-sonnet-4-5';
export const GEMINI = 'gemini-3-flash';

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';
export const PNG_URL = `data:image/png;base64,${PNG}`;
export const HELLO = 'Hello.';
export const WEATHER = 'What is the weather in Oslo and in Rome?';

export const SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const } },
  required: ['city'],
  additionalProperties: false,
};

/** The first status and the message in an error and what lies behind it. */
export const thrownBy = (error: unknown): Thrown => {
  let message = '';
  let status: number | undefined;
  for (let one: unknown = error; typeof one === 'object' && one !== null;) {
    const { message: said, status: given, statusCode, responseBody, cause, lastError } = one as Readonly<Record<string, unknown>>;
    for (const text of [said, responseBody]) if (typeof text === 'string') message += `${text}\n`;
    const found = given ?? statusCode;
    if (status === undefined && typeof found === 'number') status = found;
    one = lastError ?? cause;
  }
  return { status, message };
};
