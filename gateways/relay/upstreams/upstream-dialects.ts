import type { Refusal } from '../../../schemas/errors.ts';
import type { Provider, UpstreamDialectName } from '../../../domain/providers/provider.ts';
import { anthropicUpstream } from './anthropic-upstream.ts';
import { azureUpstream } from './azure-upstream.ts';
import { bedrockUpstream } from './bedrock-upstream.ts';
import { cohereUpstream } from './cohere-upstream.ts';
import { cozeUpstream } from './coze-upstream.ts';
import { dashscopeUpstream } from './dashscope-upstream.ts';
import { difyUpstream } from './dify-upstream.ts';
import { geminiUpstream } from './gemini-upstream.ts';
import { klingUpstream } from './kling-upstream.ts';
import { hunyuanUpstream } from './hunyuan-upstream.ts';
import { ollamaUpstream } from './ollama-upstream.ts';
import { openaiUpstream } from './openai-upstream.ts';
import { pieceTaskUpstream } from './piece-task-upstream.ts';
import { replicateUpstream } from './replicate-upstream.ts';
import { askInResponses } from './responses-upstream.ts';
import { sparkUpstream } from './spark-upstream.ts';
import { wenxinUpstream } from './wenxin-upstream.ts';
import type { Ask, Asked, UpstreamDialect } from './upstream-dialect.ts';

const UPSTREAM_DIALECTS: { readonly [D in UpstreamDialectName]: UpstreamDialect } = {
  openai: openaiUpstream,
  azure: azureUpstream,
  anthropic: anthropicUpstream,
  gemini: geminiUpstream,
  cohere: cohereUpstream,
  ollama: ollamaUpstream,
  bedrock: bedrockUpstream,
  kling: klingUpstream,
  suno: pieceTaskUpstream('music', 'suno'),
  midjourney: pieceTaskUpstream('midjourney', 'midjourney'),
  dashscope: dashscopeUpstream,
  hunyuan: hunyuanUpstream,
  wenxin: wenxinUpstream,
  dify: difyUpstream,
  coze: cozeUpstream,
  spark: sparkUpstream,
  replicate: replicateUpstream,
};

/** Whether a model of the provider's reads pictures only where they are in the request. */
export const wantsPictures = ({ dialect, picturesInline }: Provider, upstreamModel: string): boolean =>
  picturesInline === true || UPSTREAM_DIALECTS[dialect].wantsPictures?.(upstreamModel) === true;

/** A call in its upstream's form; a refusal where that cannot say it: another channel may. */
export const askUpstream = (ask: Ask): Asked | Refusal => {
  const { parsed, provider, speaksResponses = false } = ask;
  if (parsed.endpoint === 'chat' && parsed.responses !== undefined) {
    if (speaksResponses) return askInResponses(parsed.responses, { ...ask, parsed });
    if (parsed.responses.unsayable !== null) return parsed.responses.unsayable;
  }
  return UPSTREAM_DIALECTS[provider.dialect].ask(ask);
};
