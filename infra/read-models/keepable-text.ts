/** No text of PostgreSQL's holds NUL. Half of a surrogate pair, which none holds either, becomes the same where text is encoded. */
export const keepableText = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text);
