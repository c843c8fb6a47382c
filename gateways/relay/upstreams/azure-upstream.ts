import { refuse } from '../../../schemas/errors.ts';
import { openaiUpstream } from './openai-upstream.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

/** The newest of Azure's dated versions that is no preview. */
const API_VERSION = '2024-10-21';

/** OpenAI's format behind deployments: what others name in the body stands in the path. */
export const azureUpstream: UpstreamDialect = {
  ask: (ask) => {
    const asked = openaiUpstream.ask(ask);
    if ('refused' in asked) return asked;
    if (ask.parsed.endpoint === 'moderations') return refuse('invalid_request', 'Azure has no moderations.');
    if (ask.parsed.endpoint === 'videos') return refuse('invalid_request', 'Azure’s deployments make no videos.');
    return { ...asked, path: `/deployments/${encodeURIComponent(ask.upstreamModel)}${asked.path}?api-version=${API_VERSION}` };
  },
};
