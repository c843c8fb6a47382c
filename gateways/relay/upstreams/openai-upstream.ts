import { refuse } from '../../../schemas/errors.ts';
import { rulesOf } from '../endpoints/endpoints.ts';
import { keepRules } from './member-rules.ts';
import { peculiarAnswers } from './peculiar-answers.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

/** The hub's own form: the client's bytes, but for the few that must differ, here or at this provider. */
export const openaiUpstream: UpstreamDialect = {
  ask: (ask) => {
    const { endpoint } = ask.parsed;
    if (endpoint === 'music' || endpoint === 'midjourney')
      return refuse('invalid_request', 'Tasks of Suno and of Midjourney have no place in OpenAI’s format.');
    const { paths, quirks } = ask.provider;
    const endpointRules = rulesOf(endpoint);
    const body = endpointRules.convert(ask.parsed, ask);
    const rules = endpoint === 'chat' || endpoint === 'embeddings' ? quirks?.[endpoint] : undefined;
    return {
      path: paths?.[endpoint] ?? endpointRules.pathFor?.(ask.parsed) ?? endpointRules.path,
      headers: endpointRules.headers(ask.parsed),
      body: rules === undefined ? body : keepRules(body, rules),
      interpreter: quirks === undefined ? null : peculiarAnswers(quirks, ask),
    };
  },
};
