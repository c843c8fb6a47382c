import { normalisedModel } from '../../domain/relay/model-mapping.ts';
import { isPattern, starOf } from '../../domain/relay/name-pattern.ts';
import type { ChannelId } from '../../schemas/ids.ts';
import type { ChannelDocument } from '../channels/tables.ts';
import type { ChannelEntry } from './entries.ts';

const NO_MODELS: readonly string[] = [];

/** Names that fit no mapping but a pattern are remembered; beyond so many they are all worked out anew. */
const MOST_REMEMBERED = 10_000;

const fits = (patterns: readonly string[], model: string): boolean => patterns.some((pattern) => starOf(pattern, model) !== null);

/** The enabled channels, by what they serve. */
export class ChannelIndex {
  readonly #enabled = new Map<ChannelId, ChannelEntry>();
  #channelsByModel: ReadonlyMap<string, readonly ChannelEntry[]> | null = null;
  /** Of the same moment as the map above. */
  readonly #byPattern: { readonly channel: ChannelEntry; readonly patterns: readonly string[] }[] = [];
  readonly #matched = new Map<string, readonly ChannelEntry[]>();
  readonly #normalised = new Map<string, string>();

  changed(channelId: ChannelId, doc: ChannelDocument | undefined): void {
    if (doc === undefined || !doc.enabled || doc.removed) this.#enabled.delete(channelId);
    else {
      const { settings, health, failingModels, keys } = doc;
      const failing = failingModels === undefined || failingModels.length === 0 ? NO_MODELS : failingModels.map(({ model }) => model);
      this.#enabled.set(channelId, { channelId, settings, health, failingModels: failing, keys });
    }
    this.#channelsByModel = null;
  }

  /** Every one of them. */
  all(): readonly ChannelEntry[] {
    return [...this.#enabled.values()];
  }

  /** Those that serve the model, whatever the group. */
  forModel(model: string): readonly ChannelEntry[] {
    const named = this.#byModel();
    if (this.#byPattern.length === 0) return named.get(model) ?? [];
    let serving = this.#matched.get(model);
    if (serving === undefined) {
      const exact = named.get(model) ?? [];
      serving = [
        ...exact,
        ...this.#byPattern
          .filter(({ channel, patterns }) => !exact.includes(channel) && fits(patterns, model))
          .map(({ channel }) => channel),
      ];
      if (this.#matched.size >= MOST_REMEMBERED) this.#matched.clear();
      this.#matched.set(model, serving);
    }
    return serving;
  }

  /** Those of the provider, whatever they serve. */
  ofProvider(provider: string): readonly ChannelEntry[] {
    return [...this.#enabled.values()].filter(({ settings }) => settings.provider === provider);
  }

  /** Every model that is served, by name; of those that fit a pattern only, the ones among `priced`. */
  models(priced: () => Iterable<string>): readonly string[] {
    const named = this.#byModel();
    const others = this.#byPattern.length === 0 ? [] : [...priced()];
    const fitting = others.filter((model) => !named.has(model) && this.#byPattern.some(({ patterns }) => fits(patterns, model)));
    return [...named.keys(), ...fitting].sort();
  }

  /** The name under which a model is served that is not served under this one: the same but for capitals and the like. */
  modelMeant(model: string): string | undefined {
    this.#byModel();
    return this.#normalised.get(normalisedModel(model));
  }

  #byModel(): ReadonlyMap<string, readonly ChannelEntry[]> {
    if (this.#channelsByModel === null) {
      const byModel = new Map<string, ChannelEntry[]>();
      this.#byPattern.length = 0;
      this.#matched.clear();
      this.#normalised.clear();
      for (const channel of this.#enabled.values()) {
        const patterns = channel.settings.models.filter(({ model }) => isPattern(model)).map(({ model }) => model);
        if (patterns.length > 0) this.#byPattern.push({ channel, patterns });
        for (const { model } of channel.settings.models) {
          if (isPattern(model)) continue;
          this.#normalised.set(normalisedModel(model), model);
          const serving = byModel.get(model);
          if (serving === undefined) byModel.set(model, [channel]);
          else serving.push(channel);
        }
      }
      this.#channelsByModel = byModel;
    }
    return this.#channelsByModel;
  }
}
