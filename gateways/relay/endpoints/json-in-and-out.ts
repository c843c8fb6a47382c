const NO_HEADERS = {} as const;

/** An endpoint that is asked in JSON, and answers in JSON or in text that is written token by token. */
export const jsonInAndOut = {
  bodies: 'json',
  answers: 'asked',
  headers: () => NO_HEADERS,
} as const;
