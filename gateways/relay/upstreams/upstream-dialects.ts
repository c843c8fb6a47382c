import type { UpstreamDialectName } from '../../../domain/providers/provider.ts';
import { openaiUpstream } from './openai-upstream.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

export const UPSTREAM_DIALECTS: { readonly [D in UpstreamDialectName]: UpstreamDialect } = { openai: openaiUpstream };
