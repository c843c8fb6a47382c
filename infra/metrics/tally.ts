import { Counter, Histogram, type CounterConfiguration, type HistogramConfiguration } from 'prom-client';

type Label = string | number;

/**
 * What is kept for each combination of labels, found by one label after the other: `of(route).of(status)`. prom-client itself makes a
 * text of all labels, checks their names and makes objects, for each count; a call counts ten times.
 */
abstract class Branch<Kept extends Branch<Kept>> {
  readonly #next = new Map<Label, Kept>();

  of(label: Label): Kept {
    let next = this.#next.get(label);
    if (next === undefined) this.#next.set(label, (next = this.branch()));
    return next;
  }

  /** All that stand behind as many labels as there are names. */
  *leaves(names: readonly string[], labels: Readonly<Record<string, Label>> = {}): Generator<readonly [Record<string, Label>, Kept]> {
    const [name, ...rest] = names;
    if (name === undefined) return;
    for (const [label, next] of this.#next) {
      const all = { ...labels, [name]: label };
      if (rest.length === 0) yield [all, next];
      else yield* next.leaves(rest, all);
    }
  }

  protected abstract branch(): Kept;
}

/** A count that only grows. */
export class Tally extends Branch<Tally> {
  value = 0;

  protected branch(): Tally {
    return new Tally();
  }
}

/** Observations in buckets. */
export class Spread extends Branch<Spread> {
  readonly #bounds: readonly number[];
  /** How many lay below each bound and not below the one before. */
  readonly counts: number[];
  count = 0;
  sum = 0;

  constructor(bounds: readonly number[]) {
    super();
    this.#bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    this.count++;
    this.sum += value;
    for (let place = 0; place < bounds.length; place++) {
      if (value > (bounds[place] as number)) continue;
      this.counts[place] = (this.counts[place] as number) + 1;
      return;
    }
  }

  protected branch(): Spread {
    return new Spread(this.#bounds);
  }
}

type Described<Configuration> = Omit<Configuration, 'collect' | 'labelNames'> & { readonly labelNames: readonly string[] };

/** The root of a tally that is shown as a counter. */
export const tallied = (described: Described<CounterConfiguration<string>>): Tally => {
  const root = new Tally();
  void new Counter({
    ...described,
    collect() {
      this.reset();
      for (const [labels, { value }] of root.leaves(described.labelNames)) this.inc(labels, value);
    },
  });
  return root;
};

type Shown = Awaited<ReturnType<Histogram['get']>>;

/** prom-client takes observations one by one only, so what it shows is made here. */
class ShownSpread extends Histogram {
  readonly #root: Spread;
  readonly #described: Described<HistogramConfiguration<string>>;

  constructor(described: Described<HistogramConfiguration<string>>, root: Spread) {
    super(described);
    this.#described = described;
    this.#root = root;
  }

  override get(): Promise<Shown> {
    const { name, help, labelNames, buckets = [] } = this.#described;
    const values: Shown['values'] = [];
    for (const [labels, { counts, count, sum }] of this.#root.leaves(labelNames)) {
      let below = 0;
      for (const [place, le] of buckets.entries()) {
        below += counts[place] as number;
        values.push({ labels: { le, ...labels }, value: below, metricName: `${name}_bucket` });
      }
      values.push({ labels: { le: '+Inf', ...labels }, value: count, metricName: `${name}_bucket` });
      values.push({ labels, value: sum, metricName: `${name}_sum` }, { labels, value: count, metricName: `${name}_count` });
    }
    return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' } as unknown as Shown);
  }

  /** prom-client's second way to the same, which its registry prefers. */
  getForPromString(): Promise<Shown> {
    return this.get();
  }
}

/** The root of a spread that is shown as a histogram. */
export const spread = (described: Described<HistogramConfiguration<string>>): Spread => {
  const root = new Spread(described.buckets ?? []);
  void new ShownSpread(described, root);
  return root;
};
