/** Names of what is asked for, by which the server knows a repetition from something new. */
export interface RequestNames {
  /** The same name for the same words until they are {@link granted}; asked for again then, they are something new. */
  readonly nameOf: (...words: readonly string[]) => string;
  readonly granted: () => void;
}

/** 128 bits in hexadecimal. `crypto.randomUUID` is missing where the console is served without TLS. */
const drawName = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * For what may not be done twice, such as giving money: whoever got no answer asks again with the same words, and the server does it once.
 */
export const requestNames = (): RequestNames => {
  let asked: { readonly words: string; readonly name: string } | null = null;
  return {
    nameOf: (...words) => {
      const text = JSON.stringify(words);
      if (asked?.words !== text) asked = { words: text, name: drawName() };
      return asked.name;
    },
    granted: () => {
      asked = null;
    },
  };
};
