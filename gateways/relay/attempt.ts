import { backoff } from '../../domain/relay/backoff.ts';
import { chooseChannel } from '../../domain/relay/choose-channel.ts';
import { earn, spendRetry } from '../../domain/relay/retry-budget.ts';
import type { AttemptId } from '../../schemas/ids.ts';
import type { DirectoryChannel } from '../ports/directory.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Attempted } from './attempted.ts';
import { affinityOf, capabilitiesOf } from './call-needs.ts';
import { CallRouting } from './call-routing.ts';
import type { Call, Interruptible, Interruption } from './call.ts';
import type { AnswerForm } from './endpoints/endpoint.ts';
import { rulesOf } from './endpoints/endpoints.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import { Flight } from './flight.ts';
import { judge } from './judge-exchange.ts';
import type { Opened } from './opening.ts';
import type { Route } from './route.ts';
import { SaidCall } from './said-call.ts';
import { finalRefusal, Tries } from './tries.ts';
import type { Upload } from './upload.ts';
import { mappedBy } from './upstream-address.ts';
import { requestFor } from './upstream-request.ts';

const sleep = (ms: number, call: Call): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    call.running = {
      interrupt: () => {
        clearTimeout(timer);
        resolve();
      },
    };
  });

/** Both exchanges of a call that is hedged end with it. */
const both = (one: Interruptible, other: Interruptible): Interruptible => ({
  interrupt: (why: Interruption) => {
    one.interrupt(why);
    other.interrupt(why);
  },
});

/** One call on its way to somebody who answers it. */
class Search {
  readonly #deps: AttemptDeps;
  readonly #call: Call;
  readonly #saidCall: SaidCall;
  readonly #answers: AnswerForm;
  readonly #upload: Upload | null;
  readonly #route: Route;
  readonly #routing: CallRouting;
  readonly #tries = new Tries();

  constructor(deps: AttemptDeps, call: Call, parsed: ParsedRequest, route: Route, loweredOutput: number | null) {
    this.#deps = deps;
    this.#call = call;
    this.#saidCall = new SaidCall(deps, call, parsed, route, loweredOutput);
    this.#answers = rulesOf(parsed.endpoint).answers;
    this.#upload = 'upload' in parsed ? parsed.upload : null;
    this.#route = route;
    const { affinity } = route.routing;
    const asks = {
      endpoint: parsed.endpoint,
      affinity: affinity.length === 0 ? null : affinityOf(affinity, call, parsed),
      capabilities: () => capabilitiesOf(parsed),
    };
    this.#routing = new CallRouting(route, asks, deps.states, deps.sandboxUrl());
  }

  async run(): Promise<Attempted> {
    const { hedgeMs } = this.#route.routing;
    try {
      for (;;) {
        const channel = this.#choose();
        if (channel === null) return this.#unanswered();
        if (this.#tries.count > 0) {
          if (!(await this.#mayTryAgain())) return this.#unanswered();
          // Others may have found out meanwhile that the channel fails too.
          if (this.#routing.hindrance(channel) !== null) continue;
        }
        const upstreamModel = this.#upstreamModel(channel);
        if (this.#saidCall.waits(channel, upstreamModel)) await this.#saidCall.prepare(channel, upstreamModel);
        // Whoever left before anything was asked of an upstream is owed nothing and owes nothing.
        if (this.#call.interrupted !== null || this.#call.clientGone)
          return { kind: 'interrupted', billed: this.#tries.billed, accepted: null };
        const flight = this.#launch(channel);
        if (flight === null) continue;
        const attempted =
          hedgeMs === null || !this.#call.streamed ? this.#land(flight, await flight.opened) : await this.#hedge(flight, hedgeMs);
        if (attempted !== null) return attempted;
      }
    } finally {
      this.#saidCall.release();
    }
  }

  /** Whether there may be one more try; says so when it may begin. */
  async #mayTryAgain(): Promise<boolean> {
    const { limits, stopwatch, retries } = this.#deps;
    const tries = this.#tries;
    // What is not held any more cannot be said to another.
    if (this.#upload?.repeatable === false) return false;
    if (tries.count >= limits.attempts || stopwatch.elapsed() - this.#call.begun >= limits.attemptsMs) return false;
    const left = spendRetry(retries.saved);
    if (left === null) return false;
    retries.saved = left;
    await sleep(backoff(tries.count - 1, limits.backoff, this.#deps.random()), this.#call);
    return true;
  }

  #unanswered(): Attempted {
    const tries = this.#tries;
    const { unsayable } = this.#saidCall;
    // What no channel's form can say is the caller's to change; anything else may pass.
    const refusal = tries.last === null && unsayable !== null ? unsayable : finalRefusal(this.#deps, this.#route, tries);
    return { kind: 'refused', refusal, billed: tries.billed };
  }

  #choose(): DirectoryChannel | null {
    this.#routing.random = this.#deps.random();
    return chooseChannel(this.#route.channels, this.#routing);
  }

  #upstreamModel({ settings }: DirectoryChannel): string {
    const { model } = this.#route;
    return mappedBy(settings, model)?.upstreamModel ?? model;
  }

  /** Sends the call to the channel; `null` where that cannot be done after all. */
  #launch(channel: DirectoryChannel): Flight | null {
    const { model } = this.#route;
    const deps = this.#deps;
    const call = this.#call;
    const routing = this.#routing;
    const upstreamModel = this.#upstreamModel(channel);
    const said = this.#saidCall.to(channel, upstreamModel);
    if (said === null) {
      routing.passOver(channel.channelId);
      return null;
    }
    const picked = deps.states.nextKey(channel, routing.triedKeys, routing.affinity, routing.random);
    if (!picked.usable) return null;
    const { key } = picked;
    const attemptId = deps.ids.next('att') as AttemptId;
    const request = requestFor(deps, call, said.ask, said.asked, channel, key, attemptId);
    if (request === null) {
      routing.passOver(channel.channelId);
      return null;
    }
    this.#tries.count++;
    call.channelId = channel.channelId;
    call.upstreamModel = upstreamModel;
    return new Flight(deps, call, { channel, key, attemptId, model, upstreamModel, said, answers: this.#answers, request });
  }

  #land(flight: Flight, opened: Opened): Attempted | null {
    const failure = opened.kind === 'fault' ? (this.#upload?.failure ?? null) : null;
    if (failure !== null) {
      // Nobody is billed for a request that never came to its end, and it is no fault of the upstream's.
      flight.record('aborted', null);
      return failure === 'left'
        ? { kind: 'interrupted', billed: false, accepted: null }
        : { kind: 'refused', refusal: failure, billed: false };
    }
    const attempted = judge(this.#deps, this.#call, this.#answers, opened, flight, this.#tries, this.#routing, this.#route.model);
    if (attempted !== null && (attempted.kind === 'plain' || attempted.kind === 'stream')) flight.answered();
    return attempted;
  }

  /** Asks a second channel when the first has not begun in time. Whichever begins first serves, and is charged; the other is cut off. */
  async #hedge(first: Flight, hedgeMs: number): Promise<Attempted | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, hedgeMs, null);
    });
    const soon = await Promise.race([first.opened, late]);
    clearTimeout(timer);
    if (soon !== null) return this.#land(first, soon);
    const rival = this.#launchRival(first);
    if (rival === null) return this.#land(first, await first.opened);
    this.#call.running = both(first.opening, rival.opening);

    const landing = (flight: Flight) => flight.opened.then((opened) => ({ flight, opened }));
    const { flight, opened } = await Promise.race([landing(first), landing(rival)]);
    const other = flight === first ? rival : first;
    const attempted = this.#land(flight, opened);
    if (attempted === null) {
      this.#call.running = other.opening;
      this.#carriedBy(other);
      return this.#land(other, await other.opened);
    }
    this.#carriedBy(flight);
    // It has not begun, so nothing of it was seen; that it was asked may still be on somebody's bill, which is why it is on record.
    other.opening.interrupt('shutdown');
    other.opening.abort();
    other.record('aborted', null);
    return attempted;
  }

  #launchRival({ channel: asked }: Flight): Flight | null {
    const { limits, retries } = this.#deps;
    if (this.#call.interrupted !== null || this.#tries.count >= limits.attempts) return null;
    this.#routing.passOver(asked.channelId);
    const channel = this.#choose();
    if (channel === null) return null;
    // Whoever has to be waited for before he can be asked is no help against waiting.
    if (this.#saidCall.waits(channel, this.#upstreamModel(channel))) return null;
    const left = spendRetry(retries.saved);
    if (left === null) return null;
    retries.saved = left;
    return this.#launch(channel);
  }

  #carriedBy({ channel, upstreamModel }: Flight): void {
    this.#call.channelId = channel.channelId;
    this.#call.upstreamModel = upstreamModel;
  }
}

/**
 * Tries channels until one answers. Only before the first byte to the client: a channel or key that failed is not tried
 * again for this call, waits grow with jitter between tries, and all calls together have a budget of retries.
 */
export const attempt = (
  deps: AttemptDeps,
  call: Call,
  parsed: ParsedRequest,
  route: Route,
  loweredOutput: number | null,
): Promise<Attempted> => {
  deps.retries.saved = earn(deps.retries.saved, deps.limits.retryBudget);
  return new Search(deps, call, parsed, route, loweredOutput).run();
};
