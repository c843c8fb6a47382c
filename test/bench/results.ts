import type { Measurement } from './load-job.ts';
import type { ScenarioName } from './scenarios.ts';
import { median } from './statistics.ts';
import type { TargetName } from './target.ts';

type Figure = (measurement: Measurement) => number | undefined;

/** What was measured: of each scenario and target one measurement per round, in the order of the rounds. */
export class Results {
  readonly #measurements = new Map<string, Measurement[]>();
  readonly #failures = new Map<string, string>();

  add(scenario: ScenarioName, target: TargetName, measurement: Measurement): void {
    const key = `${scenario} ${target}`;
    this.#measurements.set(key, [...(this.#measurements.get(key) ?? []), measurement]);
    const failures = Object.entries(measurement.failures).map(([why, times]) => `${why} (${times} times)`);
    if (failures.length > 0) this.#failures.set(key, failures.join(', '));
  }

  of(scenario: ScenarioName, target: TargetName): readonly Measurement[] {
    return this.#measurements.get(`${scenario} ${target}`) ?? [];
  }

  /** Median over the rounds; `undefined` where it was not measured. */
  median(scenario: ScenarioName, target: TargetName, figure: Figure): number | undefined {
    const values = this.of(scenario, target)
      .map(figure)
      .filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  }

  /** Median of what `compare` makes of the two targets' figures of the same round, which shared whatever else went on. */
  compared(
    scenario: ScenarioName,
    target: TargetName,
    other: TargetName,
    figure: Figure,
    compare: (a: number, b: number) => number,
  ): number | undefined {
    const others = this.of(scenario, other).map(figure);
    const values = this.of(scenario, target)
      .map(figure)
      .flatMap((value, round) => {
        const beside = others[round];
        return value === undefined || beside === undefined ? [] : [compare(value, beside)];
      });
    return values.length === 0 ? undefined : median(values);
  }

  /** Every scenario and target whose calls were not all answered, and why not. */
  failures(): readonly string[] {
    return [...this.#failures].map(([key, why]) => `${key}: ${why}`);
  }
}
