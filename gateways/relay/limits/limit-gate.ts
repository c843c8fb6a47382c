import { costOf, promptTokensOf } from '../../../domain/pricing/cost.ts';
import { OUTPUT_CLASSES } from '../../../domain/pricing/rates.ts';
import type { Look } from '../../../domain/limits/allowance.ts';
import { microDollars } from '../../../domain/limits/limit-units.ts';
import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { LimitRule } from '../../../schemas/limits.ts';
import type { Money } from '../../../schemas/money.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { Answered, Asking, LimitCounters } from '../../ports/limit-counters.ts';
import type { LimitPolicies } from '../../ports/limit-policies.ts';
import type { Call, Caller } from '../call.ts';
import { moneyOf, type ParsedCharge } from '../endpoints/endpoints.ts';
import type { Route } from '../route.ts';
import { compiledRules, type CompiledRule, type LimitedCall } from './compiled-rules.ts';
import type { Counted, Pass } from './pass.ts';
import { sentenceOf } from './limit-sentence.ts';

/** What a call is reckoned to use until it is known. */
export interface Estimate {
  readonly input: number;
  readonly output: number;
  readonly cost: number;
  /** Calls that it stands for; absent: one. */
  readonly requests?: number;
}

/** How near its limits a caller is, for the headers of the answer. */
export interface Standing {
  readonly measure: LimitRule['measure'];
  readonly limit: number;
  readonly left: number;
  readonly resetMs: number;
}

export type Entered =
  | { readonly kind: 'in'; readonly pass: Pass | null; readonly standings: readonly Standing[] }
  | { readonly kind: 'instead'; readonly model: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly standings: readonly Standing[] };

/** A session has a place for as long as it lasts (`places`); each of its responses counts for everything else (`amounts`). */
type Counts = 'all' | 'places' | 'amounts';

const NOTHING_TO_SAY: Entered = { kind: 'in', pass: null, standings: [] };

/** Bytes of a body for a token of its prompt: what is not prompt makes up for what takes more tokens. */
const BYTES_A_TOKEN = 4;
/** Most answers are shorter than they may be. */
const USUAL_OUTPUT = 512;

/** What a call is reckoned to use. */
export const estimateOf = (parsed: ParsedCharge, { price, groupRatio }: Pick<Route, 'price' | 'groupRatio'>): Estimate => {
  const { bound } = moneyOf(parsed.endpoint).bound(parsed, price);
  const input = Math.min(bound.promptTokens, Math.ceil(parsed.body.length / BYTES_A_TOKEN));
  const output = Math.min(bound.outputTokens, USUAL_OUTPUT);
  return { input, output, cost: microDollars(costOf({ input, output }, price, groupRatio)) };
};

const unitsOf = (measure: LimitRule['measure'], { input, output, cost, requests = 1 }: Estimate): number => {
  switch (measure) {
    case 'requests':
      return requests;
    case 'inFlight':
      return 1;
    case 'inputTokens':
      return input;
    case 'outputTokens':
      return output;
    case 'tokens':
      return input + output;
    case 'money':
      return cost;
  }
};

const usedBy = (usage: Usage | null, cost: Money | null): Estimate => {
  let output = 0;
  for (const name of OUTPUT_CLASSES) output += usage?.[name] ?? 0;
  return { input: usage === null ? 0 : promptTokensOf(usage), output, cost: cost === null ? 0 : microDollars(cost) };
};

const limitOf = ({ rule, allowance }: CompiledRule): number => allowance?.amount ?? Number(rule.amount);

/** How often a call that waits for its turn looks again at the latest. */
const LONGEST_STEP_MS = 1_000;

/** Lets calls in by the rules that operators set. Costs nothing where there are none. */
export class LimitGate {
  readonly #policies: LimitPolicies;
  readonly #shared: LimitCounters | null;
  readonly #own: LimitCounters;
  readonly #waiting = new Map<string, number>();

  /** `shared`: what all processes count in together. `own`: what this one does, where there is nothing else. */
  constructor(policies: LimitPolicies, own: LimitCounters, shared: LimitCounters | null) {
    this.#policies = policies;
    this.#own = own;
    this.#shared = shared;
  }

  /** Whether there is anything to ask. */
  get isOpen(): boolean {
    return this.#policies.current.rules.length === 0;
  }

  /** Lets a call in, sends it to another model, or refuses it. Waits where a rule says so, or where other processes have to be asked. */
  enter(call: Call, caller: Caller, parsed: ParsedCharge, route: Route, counts: Counts = 'all'): Promise<Entered> {
    return this.enterReckoned(call, caller, route.model, () => estimateOf(parsed, route), counts);
  }

  /** The same for a call that is reckoned otherwise; `model` is empty where there is none. */
  async enterReckoned(call: Call, caller: Caller, model: string, reckon: () => Estimate, counts: Counts = 'all'): Promise<Entered> {
    const limited: LimitedCall = {
      tokenId: caller.token.tokenId,
      userId: caller.user.userId,
      group: caller.user.group,
      model,
      address: call.req.ip ?? '',
    };
    const rules = compiledRules(this.#policies.current).filter(
      (compiled) => compiled.isFor(limited) && (counts === 'all' || (compiled.allowance === null) === (counts === 'places')),
    );
    if (rules.length === 0) return NOTHING_TO_SAY;
    const estimate = reckon();
    const counted = rules.map((compiled) => ({
      compiled,
      name: compiled.nameFor(limited),
      units: unitsOf(compiled.rule.measure, estimate),
    }));
    const asked = counted.map(({ compiled, name, units }): Asking =>
      compiled.allowance === null ? { name, places: Number(compiled.rule.amount) } : { name, allowance: compiled.allowance, units },
    );
    return this.#take(call, counted, asked);
  }

  /** Counts what a call really used in the place of what was reckoned. A call that was charged nothing used nothing, but it was a request. */
  leave({ counted, counters }: Pass, usage: Usage | null, cost: Money | null): void {
    const used = usedBy(usage, cost);
    for (const { compiled, name, units } of counted) {
      const { allowance, rule } = compiled;
      if (allowance === null) counters.leave(name);
      else counters.settle(name, allowance, unitsOf(rule.measure, used) - units);
    }
  }

  /** Leaves what was reckoned as it is, for a call whose use is not known for a day. */
  leaveAsReckoned({ counted, counters }: Pass): void {
    for (const { compiled, name } of counted) if (compiled.allowance === null) counters.leave(name);
  }

  async #take(call: Call, counted: readonly Counted[], asked: readonly Asking[]): Promise<Entered> {
    let waitedMs = 0;
    const queued = new Set<string>();
    try {
      for (;;) {
        const { answered, counters } = await this.#ask(asked);
        if (answered === undefined)
          return {
            kind: 'refused',
            refusal: refuse('rate_limited', 'The limits of this call cannot be looked up at the moment; try again.', {
              retryAfterSeconds: 1,
            }),
            standings: [],
          };
        const standings = standingsOf(counted, answered.looks);
        if (answered.admitted) return { kind: 'in', pass: { counted, counters }, standings };
        const place = answered.looks.findIndex(({ admitted }) => !admitted);
        const { rule, units } = { rule: (counted[place] as Counted).compiled.rule, units: (counted[place] as Counted).units };
        const { waitMs } = answered.looks[place] as Look;
        if (rule.action.kind === 'model') return { kind: 'instead', model: rule.action.model };
        const refused = (): Entered => ({ kind: 'refused', refusal: sentenceOf(rule, units, waitMs), standings });
        if (rule.action.kind === 'refuse' || !Number.isFinite(waitMs)) return refused();
        const { longestMs, mostWaiting } = rule.action;
        if (waitedMs + waitMs > longestMs || call.interrupted !== null || !this.#queue(queued, rule.id, mostWaiting)) return refused();
        const step = Math.min(waitMs, LONGEST_STEP_MS);
        await pause(step, call);
        waitedMs += step;
      }
    } finally {
      for (const id of queued) this.#waiting.set(id, (this.#waiting.get(id) ?? 1) - 1);
    }
  }

  #queue(queued: Set<string>, id: string, most: number): boolean {
    if (queued.has(id)) return true;
    const waiting = this.#waiting.get(id) ?? 0;
    if (waiting >= most) return false;
    this.#waiting.set(id, waiting + 1);
    queued.add(id);
    return true;
  }

  async #ask(asked: readonly Asking[]): Promise<{ readonly answered: Answered | undefined; readonly counters: LimitCounters }> {
    if (this.#shared !== null) {
      const answered = await this.#shared.take(asked);
      if (answered !== undefined || this.#policies.current.whenStoreAway === 'refuse') return { answered, counters: this.#shared };
    }
    return { answered: await this.#own.take(asked), counters: this.#own };
  }
}

const pause = (ms: number, call: Call): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      call.running = null;
      resolve();
    }
    call.running = { interrupt: done };
  });

/** Of each measure the rule that is nearest to its limit. */
const standingsOf = (counted: readonly Counted[], looks: readonly Look[]): readonly Standing[] => {
  const nearest = new Map<LimitRule['measure'], Standing>();
  for (const [i, { compiled }] of counted.entries()) {
    const { left, resetMs } = looks[i] as Look;
    const { measure } = compiled.rule;
    const limit = limitOf(compiled);
    const known = nearest.get(measure);
    if (known === undefined || left / limit < known.left / known.limit) nearest.set(measure, { measure, limit, left, resetMs });
  }
  return [...nearest.values()];
};
