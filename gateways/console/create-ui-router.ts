import { Router, type NextFunction, type Request, type Response } from 'express';
import { setSecurityHeaders } from './security-headers.ts';
import type { UiFile } from './ui-files.ts';

const NOT_BUILT = 'The console has not been built. Run `make build`, then start again. The API is here all the same.\n';

const takesGzip = (request: Request): boolean => /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');

const send = (request: Request, response: Response, file: UiFile): void => {
  response.setHeader('content-type', file.type);
  response.setHeader('etag', file.etag);
  response.setHeader('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  response.setHeader('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === file.etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const gzipped = file.gzipped !== null && takesGzip(request) ? file.gzipped : null;
  if (gzipped !== null) response.setHeader('content-encoding', 'gzip');
  const body = gzipped ?? file.body;
  response.setHeader('content-length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
};

/** The console's files; every address that is no file and looks like a page is the console itself, which knows its own pages. */
export const createUiRouter = (files: ReadonlyMap<string, UiFile> | null, secure: boolean): Router => {
  const router = Router();
  router.use((request: Request, response: Response, next: NextFunction) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const file = files?.get(request.path);
    const isPage = !/\.[a-z0-9]+$/i.test(request.path) && /^\/(?!api\/|v1\/)/.test(request.path);
    if (file === undefined && !isPage) return next();
    setSecurityHeaders(response, secure);
    const answer = file ?? files?.get('/index.html');
    if (answer !== undefined) return send(request, response, answer);
    response.statusCode = 404;
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(NOT_BUILT);
  });
  return router;
};
