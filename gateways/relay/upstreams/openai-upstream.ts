import type { Endpoint } from '../call.ts';
import { convertRequest } from '../convert.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

const PATHS: { readonly [E in Endpoint]: string } = { chat: '/chat/completions', embeddings: '/embeddings' };

const NO_HEADERS = {} as const;

/** The hub's own form: the client's bytes, but for the few that must differ. */
export const openaiUpstream: UpstreamDialect = {
  ask: (ask) => ({ path: PATHS[ask.parsed.endpoint], headers: NO_HEADERS, body: convertRequest(ask.parsed, ask), interpreter: null }),
};
