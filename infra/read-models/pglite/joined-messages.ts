type RunMessages<Options> = (messages: Uint8Array, options: Options) => Promise<void>;

/** Parse, Bind, Describe, Execute, Close: answered only once a Sync or Flush follows, or a connection's buffer is full. */
const PARTS: ReadonlySet<number> = new Set([...'PBDEC'].map((letter) => letter.charCodeAt(0)));

/** The first message of a connection has no letter but begins with its length, which is below 2²⁴. */
const STARTUP = 0;

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/**
 * Runs the messages of one statement in one call: the server hands them over one by one, and entering the engine costs as
 * much as a small query. For one connection at a time.
 */
export const joiningMessages = <Options>(run: RunMessages<Options>): RunMessages<Options> => {
  let waiting: Uint8Array[] = [];
  return async (message, options) => {
    // What a connection that died left half said is not the next one's.
    if (message[0] === STARTUP) waiting = [];
    waiting.push(message);
    if (PARTS.has(message[0] ?? STARTUP)) return;
    const statement = waiting;
    waiting = [];
    await run(statement.length === 1 ? message : joined(statement), options);
  };
};
