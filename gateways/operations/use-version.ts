import type { Request } from 'express';

const RELAYED = /^\/(chat\/completions|embeddings|models)(?=[/?]|$)/;

/**
 * Clients disagree on whether a base URL ends in `/v1`; both kinds reach the relay. Only what carries an API key is taken for a
 * call of the relay: the console's own pages live at the same root.
 */
export const useVersion = (request: Request): void => {
  if (!request.url.startsWith('/v1/') && request.headers.authorization !== undefined && RELAYED.test(request.url))
    request.url = `/v1${request.url}`;
};
