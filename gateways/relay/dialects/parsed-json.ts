/** A text as the JSON that it should be; `null` where it is none. */
export const parsedJson = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
};
