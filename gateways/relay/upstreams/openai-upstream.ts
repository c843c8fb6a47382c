import type { Endpoint } from '../call.ts';
import { convertRequest } from '../convert.ts';
import { keepRules } from './member-rules.ts';
import { peculiarAnswers } from './peculiar-answers.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

const PATHS: { readonly [E in Endpoint]: string } = { chat: '/chat/completions', embeddings: '/embeddings' };

const NO_HEADERS = {} as const;

/** The hub's own form: the client's bytes, but for the few that must differ, here or at this provider. */
export const openaiUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { endpoint } = ask.parsed;
    const { paths, quirks } = ask.provider;
    const body = convertRequest(ask.parsed, ask);
    const rules = quirks?.[endpoint];
    return {
      path: paths?.[endpoint] ?? PATHS[endpoint],
      headers: NO_HEADERS,
      body: rules === undefined ? body : keepRules(body, rules),
      interpreter: quirks === undefined ? null : peculiarAnswers(quirks, ask),
    };
  },
};
