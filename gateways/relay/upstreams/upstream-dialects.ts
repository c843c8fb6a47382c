import type { UpstreamDialectName } from '../../../domain/providers/provider.ts';
import { anthropicUpstream } from './anthropic-upstream.ts';
import { geminiUpstream } from './gemini-upstream.ts';
import { openaiUpstream } from './openai-upstream.ts';
import type { UpstreamDialect } from './upstream-dialect.ts';

export const UPSTREAM_DIALECTS: { readonly [D in UpstreamDialectName]: UpstreamDialect } = {
  openai: openaiUpstream,
  anthropic: anthropicUpstream,
  gemini: geminiUpstream,
};
