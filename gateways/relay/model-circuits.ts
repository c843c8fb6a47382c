import { admits, CLOSED, onAttempt, onFailure, onHearsay, type Breaker, type BreakerPolicy } from '../../domain/relay/breaker.ts';

/** More models than this of one channel do not fail by themselves; beyond it they are forgotten. */
const MOST_FAILING_MODELS = 1_000;

/** One model of a channel, as far as it fails. */
interface Circuit {
  breaker: Breaker;
  /** Whether others know that it fails: they were told, or told of it. */
  knownToFail: boolean;
}

/** The models of one channel that failed since they answered last; most channels have none. Moments are on the stopwatch. */
export class ModelCircuits {
  readonly #policy: BreakerPolicy;
  #circuits: Map<string, Circuit> | null = null;
  #heard: readonly string[] = [];

  constructor(policy: BreakerPolicy) {
    this.#policy = policy;
  }

  admits(model: string, now: number): boolean {
    const circuit = this.#circuits?.get(model);
    return circuit === undefined || admits(circuit.breaker, now);
  }

  /** A call that may be the one that shows whether the model works again. */
  attempted(model: string, now: number): void {
    const circuit = this.#circuits?.get(model);
    if (circuit !== undefined) circuit.breaker = onAttempt(circuit.breaker, now);
  }

  /** True when others have to be told that the model fails. */
  failed(model: string, now: number): boolean {
    const circuit = this.#of(model);
    circuit.breaker = onFailure(circuit.breaker, now, this.#policy);
    if (circuit.breaker.state !== 'open' || circuit.knownToFail) return false;
    circuit.knownToFail = true;
    return true;
  }

  /** The model answers. True when others have to be told. */
  answered(model: string): boolean {
    const circuit = this.#circuits?.get(model);
    if (circuit === undefined) return false;
    this.#circuits?.delete(model);
    return circuit.knownToFail;
  }

  isFailing(model: string): boolean {
    const circuit = this.#circuits?.get(model);
    return circuit !== undefined && circuit.breaker.state !== 'closed';
  }

  /** Whether this list of failing models has been heard already. */
  hasHeard(failing: readonly string[]): boolean {
    return this.#heard === failing;
  }

  /** Others say that these models fail, and no others. */
  hear(failing: readonly string[], now: number): void {
    const before = this.#heard;
    this.#heard = failing;
    for (const model of failing) {
      const circuit = this.#of(model);
      if (circuit.knownToFail) continue;
      circuit.knownToFail = true;
      circuit.breaker = onHearsay(circuit.breaker, 'failing', now, this.#policy);
    }
    for (const model of before) {
      const circuit = failing.includes(model) ? undefined : this.#circuits?.get(model);
      if (circuit?.knownToFail !== true) continue;
      circuit.knownToFail = false;
      circuit.breaker = onHearsay(circuit.breaker, 'healthy', now, this.#policy);
    }
  }

  /** Those that are not called, or only to see whether they work again. */
  failing(): string[] {
    return [...(this.#circuits ?? [])].filter(([, { breaker }]) => breaker.state !== 'closed').map(([model]) => model);
  }

  #of(model: string): Circuit {
    this.#circuits ??= new Map();
    let circuit = this.#circuits.get(model);
    if (circuit === undefined) {
      if (this.#circuits.size >= MOST_FAILING_MODELS) this.#circuits.clear();
      this.#circuits.set(model, (circuit = { breaker: CLOSED, knownToFail: false }));
    }
    return circuit;
  }
}
