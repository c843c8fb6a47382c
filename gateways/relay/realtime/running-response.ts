import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { isRefusal, type Refusal } from '../../../schemas/errors.ts';
import type { Attempt } from '../../../schemas/events/lease.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { Frame } from '../../ports/frame-sockets.ts';
import { Call } from '../call.ts';
import { charge } from '../charge.ts';
import { CLIENT_LEFT, elapsed } from '../held-call.ts';
import { finish } from '../around-call.ts';
import { startAttemptSpan, type RelaySpan } from '../trace.ts';
import type { Said } from './conversation.ts';
import type { Ending } from './ending.ts';
import type { UpstreamEvent } from './frames.ts';
import type { Ahead } from './money-ahead.ts';
import { ResponseMeter } from './response-meter.ts';
import type { SessionParties } from './session-parties.ts';

type Outcome = Extract<Attempt['outcome'], 'answered' | 'failed' | 'aborted'>;

/** A response that the upstream is at, or a transcript that it has written: a call of its own, with a hold of its own that it ends once. */
export class RunningResponse {
  readonly #parties: SessionParties;
  readonly #call: Call;
  readonly #attemptId: AttemptId;
  readonly #span: RelaySpan | null;
  readonly #begun: number;
  readonly #likely: Usage;
  readonly ahead: Ahead;
  /** What it has heard of what nobody was charged for yet. */
  readonly heard: Said;
  /** It stands beside the conversation. */
  readonly isBeside: boolean;
  readonly meter: ResponseMeter;

  /** `likely`: what it has read, as far as that can be told. */
  constructor(parties: SessionParties, ahead: Ahead, heard: Said, likely: Usage, isBeside: boolean) {
    const { deps, call: session, caller, route, served } = parties;
    const { ids, clock, stopwatch, tracer, metrics, limits } = deps;
    const call = new Call(session.req, session.res, session.route, session.dialect, ahead.hold.requestId, clock.now(), stopwatch.elapsed());
    call.caller = caller;
    call.model = ahead.route.model;
    call.channelId = session.channelId;
    call.upstreamModel = ahead.route.model === route.model ? served.upstreamModel : ahead.route.model;
    call.streamed = true;
    metrics.callStarted(session.route);
    this.#parties = parties;
    this.#call = call;
    this.#attemptId = ids.next('att') as AttemptId;
    this.#span = startAttemptSpan(tracer, session, session.channelId ?? '', call.upstreamModel);
    this.#begun = stopwatch.elapsed();
    this.#likely = likely;
    this.ahead = ahead;
    this.heard = heard;
    this.isBeside = isBeside;
    this.meter = new ResponseMeter(limits.uncountedBytes);
  }

  /** An event of the upstream's that belongs to it. */
  note(frame: Frame, event: UpstreamEvent): void {
    if (this.meter.note(frame, event)) this.#call.firstByteMs ??= elapsed(this.#parties.deps, this.#call);
  }

  /** Resolves once the charge is on record, or with why it will not be. */
  async charge(reading: UsageReading, outcome: Outcome, status: number, spokenBytesPerSecond: number): Promise<Refusal | null> {
    const { deps, served } = this.#parties;
    const { hold, parsed: asked, route } = this.ahead;
    this.#record(outcome);
    const audioOutput = this.meter.audioTokens(spokenBytesPerSecond);
    const parsed = { ...asked, reckoned: audioOutput === 0 ? this.#likely : { ...this.#likely, audioOutput } };
    const said = this.meter.text;
    const by = { channel: served.channel, upstreamModel: served.upstreamModel, attemptId: this.#attemptId };
    const charged = await charge(deps, this.#call, hold, parsed, route, by, status, reading, () => said);
    const refusal = isRefusal(charged) ? charged : null;
    if (refusal !== null) this.#call.errorCode = refusal.refused;
    this.#finished(outcome, status);
    return refusal;
  }

  /** Costs nothing: the hold is given back. */
  async release(reason: 'upstream_failed' | 'client_left' | 'shutdown', outcome: Outcome, status: number): Promise<null> {
    const { deps } = this.#parties;
    const { hold } = this.ahead;
    this.#record(outcome);
    if (reason === 'upstream_failed') this.#call.errorCode = 'upstream_failed';
    if ((await hold.durable) === null) {
      const facts = this.#call.facts('realtime', status, elapsed(deps, this.#call));
      const refusal = await deps.spending.release(hold, { reason, reconcile: true, call: facts });
      if (refusal !== null) this.#call.detail = `the release was not recorded: ${refusal.refused}`;
    }
    this.#finished(outcome, status);
    return null;
  }

  /** Its hold is not on record and never will be: there is nothing to end. */
  unrecorded({ refused }: Refusal): void {
    this.#call.errorCode = refused;
    this.#finished('aborted', 503);
  }

  /** The session ends in the middle of it: it is charged by what came, and given back where nothing did and the client had no part in that. */
  cut({ by, refusal }: Ending, spokenBytesPerSecond: number): Promise<unknown> {
    const outcome = by === 'upstream' ? 'failed' : 'aborted';
    if (by === 'upstream') this.#call.errorCode = 'upstream_failed';
    else if (by === 'us') this.#call.errorCode = refusal?.refused ?? null;
    else this.#call.interrupt('client_left');
    const status = by === 'client' ? CLIENT_LEFT : 200;
    if (this.meter.isSilent && by !== 'client') return this.release(by === 'us' ? 'shutdown' : 'upstream_failed', outcome, status);
    return this.charge({ kind: 'absent' }, outcome, status, spokenBytesPerSecond);
  }

  #record(outcome: Outcome): void {
    const { deps, served } = this.#parties;
    const durationMs = Math.round(deps.stopwatch.elapsed() - this.#begun);
    const { channel, key } = served;
    const channelKeyId = key?.keyId ?? null;
    this.#call.attempts.push({ attemptId: this.#attemptId, channelId: channel.channelId, channelKeyId, outcome, status: 101, durationMs });
  }

  #finished(outcome: Outcome, status: number): void {
    const { deps } = this.#parties;
    const { pass } = this.ahead;
    if (pass !== null) deps.gate.leave(pass, this.#call.usage, this.#call.cost);
    this.#span?.end(outcome, status);
    finish(deps, this.#call, status);
  }
}
