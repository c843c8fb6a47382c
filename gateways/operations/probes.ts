import { timingSafeEqual } from 'node:crypto';
import { Router, type Request } from 'express';

export interface ProbesDeps {
  /** Why the server cannot serve right now; empty when it can. */
  readonly notReady: () => readonly string[];
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  /** When given, `/metrics` wants it as a bearer token. */
  readonly metricsToken: string | undefined;
}

const isBearer = (request: Request, token: string): boolean => {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};

/** `/healthz`: the process lives. `/readyz`: it can serve, or why not. `/metrics`: for Prometheus. */
export const createProbesRouter = ({ notReady, metrics, metricsToken }: ProbesDeps): Router => {
  const router = Router();
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  router.get('/readyz', (_request, response) => {
    const reasons = notReady();
    response.status(reasons.length === 0 ? 200 : 503).json({ status: reasons.length === 0 ? 'ready' : 'not ready', reasons });
  });
  router.get('/metrics', (request, response, next) => {
    if (metricsToken !== undefined && !isBearer(request, metricsToken))
      return void response.status(401).type('text/plain').send('A bearer token is needed.\n');
    metrics.render().then((text) => void response.type(metrics.contentType).send(text), next);
  });
  return router;
};
