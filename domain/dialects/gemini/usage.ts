import type { Usage } from '../../../schemas/usage.ts';

/** Our classes of tokens as Gemini tells them: the prompt includes what was cached, the answer does not include thoughts, zeros are left out. */
export const usageMetadata = (usage: Usage): Readonly<Record<string, number>> => {
  const cached = usage.cachedInput ?? 0;
  const prompt =
    (usage.input ?? 0) + cached + (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0) + (usage.audioInput ?? 0) + (usage.imageInput ?? 0);
  const thoughts = usage.reasoning ?? 0;
  const said = (usage.output ?? 0) + (usage.audioOutput ?? 0) + (usage.imageOutput ?? 0);
  const metadata: Record<string, number> = {};
  if (prompt !== 0) metadata['promptTokenCount'] = prompt;
  if (cached !== 0) metadata['cachedContentTokenCount'] = cached;
  if (said !== 0) metadata['candidatesTokenCount'] = said;
  if (thoughts !== 0) metadata['thoughtsTokenCount'] = thoughts;
  metadata['totalTokenCount'] = prompt + said + thoughts;
  return metadata;
};
