import type { RequestHandler } from 'express';
import { errorTable } from '../../schemas/errors.ts';

export interface StartingGate {
  readonly handler: RequestHandler;
  open(): void;
}

/** The port is taken before the read models are ready; whoever comes in between is told to come again. */
export const startingGate = (): StartingGate => {
  let isOpen = false;
  const { status, title, type } = errorTable.starting;
  return {
    handler: (_request, response, next) => {
      if (isOpen) return next();
      response
        .status(status)
        .setHeader('retry-after', '1')
        .json({ error: { message: title, type, code: 'starting', param: null } });
    },
    open: () => {
      isOpen = true;
    },
  };
};
