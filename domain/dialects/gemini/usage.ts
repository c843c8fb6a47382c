import type { Usage } from '../../../schemas/usage.ts';

const unlessZero = (name: string, count: number): Readonly<Record<string, number>> => (count === 0 ? {} : { [name]: count });

/** Our classes of tokens as Gemini tells them: the prompt includes what was cached, the answer does not include thoughts, zeros are left out. */
export const usageMetadata = (usage: Usage): Readonly<Record<string, number>> => {
  const cached = usage.cachedInput ?? 0;
  const prompt =
    (usage.input ?? 0) + cached + (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0) + (usage.audioInput ?? 0) + (usage.imageInput ?? 0);
  const thoughts = usage.reasoning ?? 0;
  const said = (usage.output ?? 0) + (usage.audioOutput ?? 0) + (usage.imageOutput ?? 0);
  return {
    ...unlessZero('promptTokenCount', prompt),
    ...unlessZero('cachedContentTokenCount', cached),
    ...unlessZero('candidatesTokenCount', said),
    ...unlessZero('thoughtsTokenCount', thoughts),
    totalTokenCount: prompt + said + thoughts,
  };
};
