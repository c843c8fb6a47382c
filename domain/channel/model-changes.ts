import type { ModelMapping } from '../../schemas/events/channel.ts';
import { ModelMap } from '../relay/model-mapping.ts';
import { isPattern } from '../relay/name-pattern.ts';

/** How what an upstream has differs from what a channel maps. */
export interface ModelChanges {
  /** The upstream's names that no mapping leads to. */
  readonly missing: readonly string[];
  /** Our names of mappings that lead to what the upstream does not have. */
  readonly gone: readonly string[];
}

export const modelChanges = (models: readonly ModelMapping[], found: readonly string[]): ModelChanges => {
  const map = new ModelMap(models);
  const there = new Set(found);
  const led = new Set(models.filter(({ model }) => !isPattern(model)).map(({ model }) => map.get(model)?.upstreamModel));
  return {
    missing: found.filter((name) => !led.has(name) && map.get(name)?.upstreamModel !== name),
    gone: models.filter(({ model }) => !isPattern(model) && !there.has(map.get(model)?.upstreamModel ?? '')).map(({ model }) => model),
  };
};
