/** What a reader of text puts in the place of what is no text. */
const REPLACEMENT = '\\ufffd';

/** A pair of surrogates, which is a character; else NUL or a surrogate alone; else any escape, so that none is read from its middle. */
const ESCAPE = /\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|u(0000|d[89a-f][0-9a-f]{2})|[^])/gi;

/**
 * JSON text without the two things that JSON can say and a database's text cannot: NUL, and half of a surrogate pair. PostgreSQL refuses them in `jsonb` and
 * as text, so that one such name would stop whatever has to write it there. Anything else stays as it is.
 */
export const keepableJson = (json: string): string =>
  json.includes('\\u')
    ? json.replace(ESCAPE, (escape, unkeepable: string | undefined) => (unkeepable === undefined ? escape : REPLACEMENT))
    : json;
