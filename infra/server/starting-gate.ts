import type { RequestHandler } from 'express';
import { errorTable } from '../../schemas/errors.ts';

export interface StartingGate {
  /** Comes first of all: what serves calls does not wait behind anything else once it is there. */
  readonly first: RequestHandler;
  /** Comes behind what has to answer during the start too. */
  readonly last: RequestHandler;
  /** From here on `calls` is asked before everything else. */
  open(calls: RequestHandler): void;
}

/** The port is taken before the read models are ready; whoever comes in between is told to come again. */
export const startingGate = (newRequestId: () => string): StartingGate => {
  let opened: RequestHandler | null = null;
  const { status, title, type } = errorTable.starting;
  return {
    first: (request, response, next) => {
      if (opened === null) next();
      else void opened(request, response, next);
    },
    last: (_request, response, next) => {
      if (opened !== null) return next();
      response
        .status(status)
        .setHeader('retry-after', '1')
        .setHeader('x-request-id', newRequestId())
        .json({ error: { message: title, type, code: 'starting', param: null } });
    },
    open: (calls) => {
      opened = calls;
    },
  };
};
