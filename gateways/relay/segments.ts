import type { Request } from 'express';

/** What a pattern of several segments stood for. */
export const segmentsOf = (parts: unknown): string => (Array.isArray(parts) ? parts.join('/') : String(parts));
/** What `*rest` stood for. */
export const restOf = (req: Request): string => segmentsOf(req.params['rest']);
