import type { CallBound } from '../../../domain/pricing/worst-case.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { RequestId } from '../../../schemas/ids.ts';
import type { Hold } from '../../ports/spending.ts';
import type { Call, Caller } from '../call.ts';
import type { ParsedRealtime } from '../endpoints/realtime.ts';
import { elapsed } from '../held-call.ts';
import type { LimitGate } from '../limits/limit-gate.ts';
import type { Pass } from '../limits/pass.ts';
import type { RelayDeps } from '../relay-deps.ts';
import { reserve } from '../reserve.ts';
import type { Route } from '../route.ts';

/** The worst case that money has to be there for. */
export interface Need {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly seconds?: number;
}

/** Money for one response, or one transcript, that has not begun. */
export interface Ahead {
  readonly hold: Hold;
  readonly parsed: ParsedRealtime;
  readonly route: Route;
  readonly pass: Pass | null;
}

export interface MoneyAheadDeps extends RelayDeps {
  readonly gate: LimitGate;
}

/** So much more than what is needed now is set aside, so that not every word asks for another hold. */
const HEADROOM_TOKENS = 1_024;

export type Release = 'client_left' | 'shutdown' | 'upstream_failed';

const boundOf = ({ promptTokens, outputTokens, seconds = 0 }: Need): CallBound => ({
  promptTokens,
  outputTokens,
  seconds,
  audioInput: true,
  imageInput: true,
  audioOutput: true,
  imageOutput: false,
  toolUses: 0,
});

/**
 * Holds that are taken before anything can spend them. Whatever begins at the upstream takes one, and keeps it to its end; those that nobody
 * took are given back with the session. A hold that has become too small is given back for a larger one.
 */
export class MoneyAhead {
  readonly #deps: MoneyAheadDeps;
  readonly #call: Call;
  readonly #caller: Caller;
  readonly #routeNow: () => Route | Refusal;
  /** A hold that was kept is not on record and never will be. */
  onLost: (refusal: Refusal) => void = () => undefined;
  readonly #kept: Ahead[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #isOver = false;
  #unrecorded: Refusal | null = null;

  constructor(deps: MoneyAheadDeps, call: Call, caller: Caller, routeNow: () => Route | Refusal) {
    this.#deps = deps;
    this.#call = call;
    this.#caller = caller;
    this.#routeNow = routeNow;
  }

  /** Sees to it that `count` holds cover the need. Waits only where one has to be taken. */
  secure(count: number, need: Need): null | Promise<Refusal | null> {
    if (this.#covering(need) >= count) return null;
    const securing = this.#turn.then(() => this.#secure(count, need));
    this.#turn = securing.catch(() => undefined);
    return securing;
  }

  /** Resolves once all that is kept is on record, or with why something of it will not be. */
  async recorded(): Promise<Refusal | null> {
    await Promise.all(this.#kept.map(({ hold }) => hold.durable));
    return this.#unrecorded;
  }

  /** The largest hold, for something that has begun. */
  take(): Ahead | null {
    let largest = 0;
    for (const [place, { hold }] of this.#kept.entries()) if (hold.amount > (this.#kept[largest]?.hold.amount ?? 0n)) largest = place;
    return this.#kept.splice(largest, 1)[0] ?? null;
  }

  /**
   * Gives back what nobody took. Nothing can be taken afterwards. `asked`: for so many an upstream was asked that has not begun; it
   * may bill them.
   */
  async end(asked: number, reason: Release): Promise<void> {
    this.#isOver = true;
    await this.#turn;
    for (const [place, ahead] of this.#kept.splice(0).entries()) await this.#giveBack(ahead, true, place < asked ? reason : 'unused');
  }

  #covering({ promptTokens, outputTokens, seconds = 0 }: Need): number {
    let covering = 0;
    for (const { parsed, route } of this.#kept) {
      const { bound } = parsed;
      const most = Math.min(promptTokens, route.price.contextTokens ?? promptTokens);
      if (bound.promptTokens >= most && bound.outputTokens >= outputTokens && (bound.seconds ?? 0) >= seconds) covering++;
    }
    return covering;
  }

  async #secure(count: number, need: Need): Promise<Refusal | null> {
    while (this.#covering(need) < count) {
      if (this.#isOver) return refuse('shutting_down');
      if (this.#unrecorded !== null) return this.#unrecorded;
      // One that is too small makes room first, or a balance that covers the larger one alone would not be enough.
      const small = this.#kept.length < count ? null : this.take();
      if (small !== null) await this.#giveBack(small, false);
      const taken = await this.#acquire(need, small?.pass ?? null);
      if (isRefusal(taken)) return taken;
    }
    return null;
  }

  async #acquire(need: Need, passed: Pass | null): Promise<Refusal | null> {
    const { gate, spending, ids } = this.#deps;
    const route = this.#routeNow();
    if (isRefusal(route)) {
      if (passed !== null) gate.leave(passed, null, null);
      return route;
    }
    const { contextTokens } = route.price;
    const promptTokens = need.promptTokens + HEADROOM_TOKENS;
    const bound = boundOf({
      ...need,
      promptTokens: contextTokens === undefined ? promptTokens : Math.min(promptTokens, contextTokens),
      ...(need.seconds === undefined ? {} : { seconds: need.seconds + 60 }),
    });
    const parsed: ParsedRealtime = { endpoint: 'realtime', body: Buffer.alloc(0), request: { model: route.model }, bound, reckoned: {} };
    let pass = passed;
    if (pass === null && !gate.isOpen) {
      const entered = await gate.enter(this.#call, this.#caller, parsed, route, 'amounts');
      if (entered.kind === 'refused') return entered.refusal;
      if (entered.kind === 'instead')
        return refuse('rate_limited', `A limit of the model "${route.model}" is reached, and a session keeps its model.`);
      pass = entered.pass;
    }
    const reserved = await reserve(spending, this.#caller, ids.next('req') as RequestId, parsed, route);
    if (isRefusal(reserved)) {
      if (pass !== null) gate.leave(pass, null, null);
      return reserved;
    }
    const { hold } = reserved;
    const ahead: Ahead = { hold, parsed, route, pass };
    this.#kept.push(ahead);
    void hold.durable.then((refusal) => {
      const place = this.#kept.indexOf(ahead);
      if (refusal === null || place < 0) return;
      this.#kept.splice(place, 1);
      this.#unrecorded = refusal;
      this.onLost(refusal);
    });
    return null;
  }

  async #giveBack({ hold, pass }: Ahead, forGood: boolean, reason: Release | 'unused' = 'unused'): Promise<void> {
    if (forGood && pass !== null) this.#deps.gate.leave(pass, null, null);
    if ((await hold.durable) !== null) return;
    const facts = this.#call.facts('realtime', 101, elapsed(this.#deps, this.#call));
    const refusal = await this.#deps.spending.release(hold, { reason, reconcile: reason !== 'unused', call: facts });
    // A release that is not on record is made good by whoever sweeps the lease.
    if (refusal !== null) this.#call.detail = `the release was not recorded: ${refusal.refused}`;
  }
}
