import type { RequestHandler } from 'express';
import { errorTable } from '../../schemas/errors.ts';

/** Comes last: what no role of this process serves. */
export const notServed =
  (newRequestId: () => string): RequestHandler =>
  (_request, response) => {
    const { status, type } = errorTable.not_found;
    response.setHeader('x-request-id', newRequestId());
    response.status(status).json({ error: { message: 'This process does not serve that.', type, code: 'not_found', param: null } });
  };
