import type { z } from 'zod';
import type { Attempt } from '../../schemas/events/lease.ts';
import type { AttemptId } from '../../schemas/ids.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { DirectoryChannel, DirectoryChannelKey } from '../ports/directory.ts';
import type { UpstreamRequest } from '../ports/upstream.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Served } from './attempted.ts';
import type { Call } from './call.ts';
import type { AnswerForm } from './endpoints/endpoint.ts';
import type { NativeForm } from './native/native-form.ts';
import { Opening, type Opened } from './opening.ts';
import { startAttemptSpan, type RelaySpan } from './trace.ts';
import type { Said } from './said-call.ts';

type Outcome = z.infer<typeof Attempt>['outcome'];

/** Who is asked, in whose words, and with which key. */
export interface FlightPlan {
  readonly channel: DirectoryChannel;
  readonly key: DirectoryChannelKey | null;
  readonly attemptId: AttemptId;
  /** As the caller names it. */
  readonly model: string;
  readonly upstreamModel: string;
  readonly said: Said;
  readonly answers: AnswerForm;
  readonly request: UpstreamRequest;
}

/** One exchange with an upstream, from the moment it was sent, and who answers once it does. An object and no functions made for the call: see {@link Call.running}. */
export class Flight implements Served {
  readonly channel: DirectoryChannel;
  readonly attemptId: AttemptId;
  readonly upstreamModel: string;
  readonly key: DirectoryChannelKey | null;
  readonly opening: Opening;
  /** Resolves once it is known how the answer begins, or that none does. */
  readonly opened: Promise<Opened>;
  /** How its answer is read that goes to the client as it comes; `null`: it is told in the hub's form. */
  readonly native: NativeForm | null;
  readonly #deps: AttemptDeps;
  readonly #call: Call;
  readonly #model: string;
  readonly #begun: number;
  readonly #span: RelaySpan | null;
  #answeredMs = 0;

  /** Sends the request. */
  constructor(deps: AttemptDeps, call: Call, { channel, key, attemptId, model, upstreamModel, said, answers, request }: FlightPlan) {
    this.channel = channel;
    this.attemptId = attemptId;
    this.upstreamModel = upstreamModel;
    this.key = key;
    this.native = said.asked.native ?? null;
    this.#deps = deps;
    this.#call = call;
    this.#model = model;
    this.#begun = deps.stopwatch.elapsed();
    this.#span = startAttemptSpan(deps.tracer, call, channel.channelId, upstreamModel);
    deps.states.attempted(channel, model);

    const { limits } = deps;
    const { times } = channel.settings;
    const withinMs = call.streamed
      ? times?.firstEventSeconds === undefined
        ? limits.firstEventMs
        : times.firstEventSeconds * 1_000
      : times?.answerSeconds === undefined
        ? limits.answerMs
        : times.answerSeconds * 1_000;
    let settle: (opened: Opened) => void = () => undefined;
    this.opened = new Promise<Opened>((resolve) => {
      settle = resolve;
    });
    const opening = new Opening(
      {
        answers,
        streamed: call.streamed,
        readOn: said.ask.provider.billsAborted === true,
        begun: this.#begun,
        withinMs,
        heartbeatMs: limits.heartbeatMs,
        answerBytes: limits.answerBytes,
        eventBytes: limits.eventBytes,
      },
      (result) => {
        deps.watch.remove(opening);
        settle(result);
      },
    );
    this.opening = opening;
    deps.watch.add(opening);
    call.running = opening;
    const { interpreter } = said.asked;
    if (interpreter === null) opening.begin(deps.upstream.send(request, opening));
    else {
      const interpreting = interpreter(opening);
      const exchange = deps.upstream.send(request, interpreting);
      interpreting.begin(exchange);
      opening.begin(exchange);
    }
  }

  /** Puts what became of it on record: the attempt is over. */
  record(outcome: Outcome, status: number | null, billedUsage?: Usage): void {
    const { channel, attemptId, key } = this;
    const { states, metrics, stopwatch } = this.#deps;
    const durationMs = Math.round(stopwatch.elapsed() - this.#begun);
    const facts = { attemptId, channelId: channel.channelId, channelKeyId: key?.keyId ?? null, outcome, status, durationMs };
    this.#call.attempts.push(billedUsage === undefined ? facts : { ...facts, billedUsage });
    states.ended(channel);
    metrics.attemptFinished(channel.channelId, outcome, durationMs);
    this.#span?.end(outcome, status);
  }

  answered(): void {
    this.#answeredMs = this.#deps.stopwatch.elapsed() - this.#begun;
    this.#deps.states.answeredAfter(this.channel, this.#answeredMs);
  }

  finish(outcome: Outcome): void {
    const { states } = this.#deps;
    this.record(outcome, 200);
    if (outcome === 'answered') states.succeeded(this.channel, this.#model, this.key, this.#answeredMs);
    else if (outcome !== 'aborted') states.failed(this.channel, this.#model, 'answer', 'it broke off in the middle of an answer');
  }
}
