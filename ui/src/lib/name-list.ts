/** Names as they are typed into one field: with commas, semicolons or new lines between them; each once. */
export const namesIn = (text: string): string[] =>
  [...new Set(text.split(/[,;\n，；、]/).map((name) => name.trim()))].filter((name) => name !== '');

export const printNames = (names: readonly string[] | null | undefined): string => (names ?? []).join(', ');
