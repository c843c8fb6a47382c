import type { Capability, ModelMapping } from '../../schemas/events/channel.ts';
import { isPattern, starOf } from './name-pattern.ts';

/** What a channel makes of a model's name. */
export interface Mapped {
  readonly upstreamModel: string;
  readonly lacks: readonly Capability[];
}

/** How many names may follow on each other; more are no mapping but a mistake. */
const MOST_STEPS = 16;

const NOTHING: readonly Capability[] = [];

/** The names that a name leads to, without itself; `null` when they come round to one that was there before. */
const chainOf = (exact: ReadonlyMap<string, ModelMapping>, first: string): string[] | null => {
  const seen = new Set<string>();
  const chain: string[] = [];
  for (let name = first; ;) {
    if (seen.has(name) || chain.length > MOST_STEPS) return null;
    seen.add(name);
    const next = exact.get(name)?.upstreamModel;
    if (next === undefined || next === name) return chain;
    chain.push(next);
    name = next;
  }
};

const exactOf = (models: readonly ModelMapping[]): ReadonlyMap<string, ModelMapping> =>
  new Map(models.filter(({ model }) => !isPattern(model)).map((mapping) => [mapping.model, mapping]));

/** A name from which the mappings never come to an end, or `null`. */
export const cycleIn = (models: readonly ModelMapping[]): string | null => {
  const exact = exactOf(models);
  for (const name of exact.keys()) if (chainOf(exact, name) === null) return name;
  return null;
};

/** The mappings of one channel, ready for being asked call by call. */
export class ModelMap {
  readonly #exact: ReadonlyMap<string, ModelMapping>;
  readonly #named = new Map<string, Mapped>();
  /** The longest first: it says most. */
  readonly #patterns: readonly ModelMapping[];

  constructor(models: readonly ModelMapping[]) {
    this.#exact = exactOf(models);
    for (const [model, { upstreamModel, lacks = NOTHING }] of this.#exact) {
      // Mappings that come round were taken before they were refused: one step is what they meant then.
      this.#named.set(model, { upstreamModel: chainOf(this.#exact, model)?.at(-1) ?? upstreamModel, lacks });
    }
    this.#patterns = models.filter(({ model }) => isPattern(model)).sort((a, b) => b.model.length - a.model.length);
  }

  /** `null` where the channel does not serve the model. */
  get(model: string): Mapped | null {
    const named = this.#named.get(model);
    if (named !== undefined) return named;
    for (const pattern of this.#patterns) {
      const star = starOf(pattern.model, model);
      if (star === null) continue;
      // A function, or dollar signs in the name would be read as something else.
      const meant = pattern.upstreamModel.replace('*', () => star);
      return { upstreamModel: chainOf(this.#exact, meant)?.at(-1) ?? meant, lacks: pattern.lacks ?? NOTHING };
    }
    return null;
  }
}

/** A name as it is looked for where it is not known as it was written: clients write `models/…`, spaces, and capitals as they like. */
export const normalisedModel = (name: string): string => {
  const plain = name.trim().toLowerCase();
  return plain.startsWith('models/') ? plain.slice('models/'.length) : plain;
};
