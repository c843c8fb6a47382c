import type { UsageReading } from '../../../domain/pricing/openai-usage.ts';
import { readRealtimeUsage } from '../../../domain/pricing/realtime-usage.ts';
import { approximateTokens } from '../../../domain/tokens/approximate.ts';
import type { Countable } from '../../../domain/tokens/chat-text.ts';
import { UNKNOWN_OUTPUT_LIMIT } from '../../../domain/pricing/worst-case.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import type { AttemptId } from '../../../schemas/ids.ts';
import type { ModelPrice } from '../../../schemas/price.ts';
import type { Usage } from '../../../schemas/usage.ts';
import type { Frame, FrameListener, FrameSocket } from '../../ports/frame-sockets.ts';
import { mayUseModel } from '../authenticate.ts';
import { Call, type Caller } from '../call.ts';
import type { Stoppable } from '../calls-in-flight.ts';
import { charge } from '../charge.ts';
import { CLIENT_LEFT, elapsed } from '../held-call.ts';
import { finish, type PipelineDeps } from '../relay-call.ts';
import type { Route } from '../route.ts';
import { startAttemptSpan, type RelaySpan } from '../trace.ts';
import type { Watched } from '../watch.ts';
import type { Connected } from './connect.ts';
import {
  Conversation,
  decodedBytes,
  HEARD_TOKENS_PER_SECOND,
  itemSaid,
  NOTHING_SAID,
  soundSaid,
  SPOKEN_TOKENS_PER_SECOND,
  type Said,
} from './conversation.ts';
import { deltaText, errorFrame, memberLength, parsedEvent, readClientEvent, readUpstreamEvent, withModel } from './frames.ts';
import { Lane } from './lane.ts';
import { MoneyAhead, type Ahead, type Need } from './money-ahead.ts';
import { AgreedTerms, isRecord, maxOutputOf, termsOf } from './session-terms.ts';

/** A response that the upstream is at. */
interface Running {
  readonly call: Call;
  readonly ahead: Ahead;
  readonly attemptId: AttemptId;
  readonly span: RelaySpan | null;
  /** What it has heard of what nobody was charged for yet. */
  readonly heard: Said;
  readonly likely: Usage;
  /** It stands beside the conversation. */
  readonly isBeside: boolean;
  readonly begun: number;
  readonly texts: string[];
  textLength: number;
  /** Beyond what is kept of the text. */
  uncounted: number;
  audioBytes: number;
}

interface Ending {
  readonly by: 'client' | 'upstream' | 'us';
  readonly refusal: Refusal | null;
  /** Why, to a client that is there. */
  readonly code: number;
  readonly reason: string;
}

/** Codes of closed WebSockets. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const POLICY = 1008;
const INTERNAL = 1011;
const RESTART = 1012;

/** What a peer may say in a goodbye; other codes are not for the wire. */
const sayable = (code: number): number => (code === 1000 || (code >= 3000 && code <= 4999) ? code : NORMAL);

/** Events of clients that neither begin a response nor are heard by one. */
const HARMLESS: ReadonlySet<string> = new Set([
  'response.cancel',
  'input_audio_buffer.clear',
  'output_audio_buffer.clear',
  'conversation.item.delete',
  'conversation.item.retrieve',
  'conversation.item.truncate',
]);

const TEXT_DELTAS: ReadonlySet<string> = new Set([
  'response.output_text.delta',
  'response.text.delta',
  'response.output_audio_transcript.delta',
  'response.audio_transcript.delta',
  'response.function_call_arguments.delta',
]);

const AUDIO_DELTAS: ReadonlySet<string> = new Set(['response.output_audio.delta', 'response.audio.delta']);

/** A session that is to end waits so long for a response that runs. */
const LAST_RESPONSE_MS = 60_000;

/** How often it is looked whether the key is still good. */
const STANDING_MS = 500;

/**
 * One realtime session, from the moment that both sockets are open. Frames pass as they are; what they say is read for the money only: nothing
 * that can begin a response goes to the upstream without a hold, and no `response.done` to the client before its charge is on record.
 */
export class RealtimeSession {
  readonly #deps: PipelineDeps;
  readonly #call: Call;
  readonly #caller: Caller;
  readonly #route: Route;
  readonly #served: Connected;
  readonly #client: FrameSocket;
  readonly #upstream: FrameSocket;
  readonly #money: MoneyAhead;
  /** Whether the key is good; `null`: it is. */
  readonly #standing: () => Refusal | null | Promise<Refusal | null>;
  readonly #terms = new AgreedTerms();
  readonly #conversation = new Conversation();
  readonly #running = new Map<string, Running>();
  readonly #settling = new Set<Promise<unknown>>();
  /** Responses that the client has asked for and the upstream has not begun. */
  readonly #pending: (string | null)[] = [];
  /** The most output that one of those may have. */
  #pendingOutput = 0;
  #transcripts: { readonly model: string; readonly money: MoneyAhead } | null = null;
  #untranscribed: Said = NOTHING_SAID;
  #ending: Ending | null = null;
  /** It ends once no response runs. */
  #leaving: Ending | null = null;
  #leavingSince = 0;
  readonly #begun: number;
  #lastFrame: number;
  #heard: { client: number; upstream: number };
  #asked: { client: boolean; upstream: boolean } = { client: false, upstream: false };
  #unreadSince: number | null = null;
  #lookedAt = 0;
  #isLooking = false;
  readonly #toUpstream: Lane;
  readonly #toClient: Lane;
  #over: () => void = () => undefined;
  /** Everything that was held has been charged or given back. */
  readonly over: Promise<void>;
  readonly stoppable: Stoppable;
  readonly watched: Watched;

  constructor(
    deps: PipelineDeps,
    call: Call,
    caller: Caller,
    route: Route,
    served: Connected,
    client: FrameSocket,
    money: MoneyAhead,
    standing: () => Refusal | null | Promise<Refusal | null>,
  ) {
    this.#deps = deps;
    this.#call = call;
    this.#caller = caller;
    this.#route = route;
    this.#served = served;
    this.#client = client;
    this.#upstream = served.socket;
    this.#money = money;
    this.#standing = standing;
    const now = deps.stopwatch.elapsed();
    this.#begun = now;
    this.#lastFrame = now;
    this.#heard = { client: now, upstream: now };
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
    const { unsentBytes } = deps.limits.realtime;
    const failed = (cause: unknown): void => {
      this.#call.detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      this.#refuse(refuse('internal'), INTERNAL);
    };
    this.#toUpstream = new Lane(client, served.socket, unsentBytes, (frame) => this.#fromClient(frame), failed);
    this.#toClient = new Lane(served.socket, client, unsentBytes, (frame) => this.#fromUpstream(frame), failed);
    this.stoppable = {
      place: -1,
      endSoon: () => this.#leave({ by: 'us', refusal: null, code: RESTART, reason: 'the server restarts' }),
      stop: () => this.#end({ by: 'us', refusal: refuse('shutting_down'), code: RESTART, reason: 'the server restarts' }),
    };
    this.watched = { place: -1, check: (at) => this.#check(at) };
  }

  /** Frames pass from here on. */
  begin(): void {
    const { metrics, watch } = this.#deps;
    metrics.sessions(1);
    this.#money.onLost = (refusal) => this.#refuse(refusal, INTERNAL);
    watch.add(this.watched);
    this.#upstream.listen(this.#listener('upstream', this.#toClient, this.#toUpstream));
    this.#client.listen(this.#listener('client', this.#toUpstream, this.#toClient));
  }

  #listener(side: 'client' | 'upstream', fromHere: Lane, toHere: Lane): FrameListener {
    return {
      frame: (frame) => {
        this.#lastFrame = this.#deps.stopwatch.elapsed();
        fromHere.push(frame);
      },
      heard: () => {
        this.#heard[side] = this.#deps.stopwatch.elapsed();
        this.#asked[side] = false;
      },
      sent: () => toHere.settle(),
      closed: (code, reason) => {
        if (side === 'client') return this.#end({ by: 'client', refusal: null, code, reason });
        const isFarewell = code === NORMAL || code === GOING_AWAY;
        const refusal = isFarewell ? null : refuse('upstream_failed', 'The upstream broke the session off.');
        // What it sent before it left still counts.
        fromHere.whenDry(() => this.#end({ by: 'upstream', refusal, code: isFarewell || code >= 3000 ? code : INTERNAL, reason }));
      },
    };
  }

  // ---- What the client says

  #fromClient(frame: Frame): Promise<void> | void {
    const event = readClientEvent(frame, this.#deps.limits);
    if (isRefusal(event)) return this.#tell(event);
    const { type, eventId } = event;
    if (type !== null && HARMLESS.has(type)) return this.#upstream.send(frame);
    switch (type) {
      case 'response.create':
        return this.#askResponse(frame, eventId);
      case 'session.update':
      case 'transcription_session.update':
        return this.#update(frame, eventId);
      case 'conversation.item.create':
        this.#conversation.add(itemSaid(parsedEvent(frame)?.['item'], frame.data.length, this.#terms.bytesPerSecond));
        return this.#upstream.send(frame);
      case 'input_audio_buffer.append':
        return this.#listen(frame, eventId, decodedBytes(memberLength(frame, 'audio')));
      case 'input_audio_buffer.commit':
        return this.#listen(frame, eventId, 0);
      case null:
        return this.#listen(frame, eventId, frame.data.length);
      default:
        // Who knows what it begins.
        this.#conversation.add({ ...NOTHING_SAID, textBytes: frame.data.length });
        return this.#guarded(frame, eventId, this.#money.secure(this.#pending.length + 1, this.#need()));
    }
  }

  /** Passes a frame on once its money is there. */
  #guarded(frame: Frame, eventId: string | null, securing: null | Promise<Refusal | null>, then?: () => void): Promise<void> | void {
    if (securing === null) {
      then?.();
      return this.#upstream.send(frame);
    }
    return securing.then((refusal) => {
      if (this.#ending !== null) return;
      if (refusal !== null) return this.#unaffordable(refusal, eventId);
      then?.();
      this.#upstream.send(frame);
    });
  }

  /** A limit may be met again later; money that is gone ends the session. */
  #unaffordable(refusal: Refusal, eventId: string | null): void {
    if (refusal.refused === 'rate_limited' || refusal.refused === 'too_many_in_flight') this.#tell(refusal, eventId);
    else this.#refuse(refusal, POLICY, eventId);
  }

  #askResponse(frame: Frame, eventId: string | null): Promise<void> | void {
    if (this.#leaving !== null) return this.#tell(refuse('shutting_down', 'The session is about to end.'), eventId);
    const asked = parsedEvent(frame)?.['response'];
    const response = isRecord(asked) ? asked : {};
    const model = response['model'];
    if (model !== undefined && model !== this.#route.model)
      return this.#tell(refuse('invalid_request', 'A session keeps its model.', { param: 'response.model' }), eventId);
    this.#conversation.add({ ...NOTHING_SAID, textBytes: frame.data.length });
    const modelLimit = this.#modelLimit();
    const said = maxOutputOf(response);
    const outputTokens = said === undefined ? this.#terms.maxOutput(modelLimit) : Math.min(said ?? modelLimit, modelLimit);
    const need = { ...this.#need(), outputTokens: Math.max(outputTokens, this.#pendingOutput) };
    return this.#guarded(frame, eventId, this.#money.secure(this.#pending.length + 1, need), () => {
      this.#pending.push(eventId);
      this.#pendingOutput = Math.max(this.#pendingOutput, outputTokens);
    });
  }

  #update(frame: Frame, eventId: string | null): Promise<void> | void {
    const session = parsedEvent(frame)?.['session'];
    const model = isRecord(session) ? session['model'] : undefined;
    if (model !== undefined && model !== this.#route.model)
      return this.#tell(refuse('invalid_request', 'A session keeps its model.', { param: 'session.model' }), eventId);
    const { transcriber } = termsOf(session);
    if (transcriber !== undefined && transcriber !== null) {
      const route = this.#routeOf(transcriber);
      if (isRefusal(route)) return this.#tell(route, eventId);
    }
    this.#terms.asked(session);
    this.#conversation.add({ ...NOTHING_SAID, textBytes: frame.data.length });
    this.#upstream.send(model === undefined || !this.#isRenamed ? frame : withModel(frame, this.#served.upstreamModel));
  }

  /** Sound: of a response where the upstream answers by itself, and of a transcript where somebody writes. */
  #listen(frame: Frame, eventId: string | null, bytes: number): Promise<void> | void {
    if (this.#leaving !== null) return;
    const said = soundSaid(bytes, this.#terms.bytesPerSecond);
    this.#conversation.add(said);
    const { transcriber } = this.#terms;
    const securing: Promise<Refusal | null>[] = [];
    if (transcriber !== null) {
      this.#untranscribed = { ...NOTHING_SAID, audioTokens: this.#untranscribed.audioTokens + said.audioTokens };
      const writing = this.#transcriptMoney(transcriber).secure(1, this.#transcriptNeed());
      if (writing !== null) securing.push(writing);
    }
    if (this.#terms.answersByItself) {
      const answering = this.#money.secure(this.#pending.length + 1, this.#need());
      if (answering !== null) securing.push(answering);
    }
    if (securing.length === 0) return this.#upstream.send(frame);
    return this.#guarded(
      frame,
      eventId,
      Promise.all(securing).then((refusals) => refusals.find((refusal) => refusal !== null) ?? null),
    );
  }

  // ---- What the upstream says

  #fromUpstream(frame: Frame): Promise<void> | void {
    const event = readUpstreamEvent(frame);
    if (event === null) return this.#client.send(frame);
    const { type, responseId } = event;
    const running = responseId === null ? undefined : this.#running.get(responseId);
    if (running !== undefined) this.#note(running, type, frame, event);
    switch (type) {
      case 'response.created':
        return this.#began(frame);
      case 'response.done':
        return this.#done(frame);
      case 'conversation.item.input_audio_transcription.completed':
        return this.#transcribed(frame);
      case 'session.created':
      case 'session.updated':
      case 'transcription_session.updated': {
        this.#terms.confirmed(parsedEvent(frame)?.['session'], type !== 'session.created');
        return this.#client.send(this.#isRenamed ? withModel(frame, this.#route.model) : frame);
      }
      case 'error':
        this.#answered(parsedEvent(frame)?.['error']);
        return this.#client.send(frame);
      default:
        return this.#client.send(frame);
    }
  }

  #note(running: Running, type: string, frame: Frame, event: NonNullable<ReturnType<typeof readUpstreamEvent>>): void {
    const isAudio = AUDIO_DELTAS.has(type);
    if (!isAudio && !TEXT_DELTAS.has(type)) return;
    running.call.firstByteMs ??= elapsed(this.#deps, running.call);
    if (isAudio) {
      if (event.delta !== null) running.audioBytes += decodedBytes(event.delta.end - event.delta.start - 2);
      return;
    }
    const text = deltaText(frame, event);
    if (running.textLength + text.length > this.#deps.limits.uncountedBytes) running.uncounted += approximateTokens(text);
    else {
      running.texts.push(text);
      running.textLength += text.length;
    }
  }

  async #began(frame: Frame): Promise<void> {
    const said = parsedEvent(frame)?.['response'];
    const response = isRecord(said) ? said : {};
    const id = typeof response['id'] === 'string' ? response['id'] : '';
    const running = await this.#start(id, response['conversation_id'] === null);
    if (running === null) return;
    // Nothing of it reaches the client before its money is on record.
    const refusal = await running.ahead.hold.durable;
    if (this.#ending !== null) return;
    if (refusal === null) return this.#client.send(frame);
    this.#running.delete(id);
    running.call.errorCode = refusal.refused;
    this.#finished(running, 'aborted', 503);
    this.#refuse(refusal, INTERNAL);
  }

  /** A response has begun, whoever asked for it: it takes a hold. */
  async #start(id: string, isBeside: boolean): Promise<Running | null> {
    const known = this.#running.get(id);
    if (known !== undefined) return known;
    this.#pending.shift();
    if (this.#pending.length === 0) this.#pendingOutput = 0;
    let ahead = this.#money.take();
    if (ahead === null) {
      const refusal = await this.#money.secure(1, this.#need());
      if (this.#ending !== null) return null;
      ahead = this.#money.take();
      if (ahead === null) {
        this.#call.detail = 'a response began at the upstream that no money could be set aside for';
        this.#refuse(refusal ?? refuse('insufficient_quota'), POLICY);
        return null;
      }
    }
    const running = this.#run(ahead, this.#conversation.since, this.#conversation.likely, isBeside);
    this.#running.set(id, running);
    return running;
  }

  #run(ahead: Ahead, heard: Said, likely: Usage, isBeside: boolean): Running {
    const { ids, clock, stopwatch, tracer } = this.#deps;
    const { req, res, route, dialect, channelId } = this.#call;
    const call = new Call(req, res, route, dialect, ahead.hold.requestId, clock.now(), stopwatch.elapsed());
    call.caller = this.#caller;
    call.model = ahead.route.model;
    call.channelId = channelId;
    call.upstreamModel = ahead.route.model === this.#route.model ? this.#served.upstreamModel : ahead.route.model;
    call.streamed = true;
    this.#deps.metrics.callStarted(route);
    return {
      call,
      ahead,
      attemptId: ids.next('att') as AttemptId,
      span: startAttemptSpan(tracer, this.#call, channelId ?? '', call.upstreamModel),
      heard,
      likely,
      isBeside,
      begun: stopwatch.elapsed(),
      texts: [],
      textLength: 0,
      uncounted: 0,
      audioBytes: 0,
    };
  }

  async #done(frame: Frame): Promise<void> {
    const said = parsedEvent(frame)?.['response'];
    const response = isRecord(said) ? said : {};
    const id = typeof response['id'] === 'string' ? response['id'] : '';
    const running = await this.#start(id, response['conversation_id'] === null);
    if (running === null) return;
    this.#running.delete(id);
    const reading = readRealtimeUsage(response['usage']);
    const status = response['status'];
    const outcome = status === 'failed' ? 'failed' : 'answered';
    const nothing = reading.kind === 'absent' && status !== 'completed' && this.#isSilent(running);
    const settling = nothing ? this.#release(running, 'upstream_failed', outcome, 200) : this.#charge(running, reading, outcome, 200);
    const refusal = await this.#settled(settling);
    if (this.#ending !== null) return;
    if (refusal !== null) return this.#refuse(refusal, INTERNAL);
    if (reading.kind === 'reported') this.#conversation.charged(reading.usage, running.heard, running.isBeside);
    this.#client.send(frame);
    if (this.#leaving !== null && this.#isIdle) return this.#end(this.#leaving);
    const next = await this.#money.secure(this.#pending.length + 1, this.#need());
    if (next !== null && this.#ending === null && next.refused !== 'rate_limited') this.#refuse(next, POLICY);
  }

  async #transcribed(frame: Frame): Promise<void> {
    const { transcriber } = this.#terms;
    const model = this.#transcripts?.model ?? transcriber ?? this.#route.model;
    const money = this.#transcriptMoney(model);
    let ahead = money.take();
    if (ahead === null) {
      const refusal = await money.secure(1, this.#transcriptNeed());
      if (this.#ending !== null) return;
      ahead = money.take();
      if (ahead === null) return this.#refuse(refusal ?? refuse('insufficient_quota'), POLICY);
    }
    const event = parsedEvent(frame) ?? {};
    const { audioTokens } = this.#untranscribed;
    this.#untranscribed = NOTHING_SAID;
    const running = this.#run(ahead, NOTHING_SAID, { audioInput: audioTokens }, true);
    const transcript = event['transcript'];
    if (typeof transcript === 'string') running.texts.push(transcript);
    const reading = transcriptReading(event['usage'], ahead.route.price, audioTokens);
    const refusal = (await ahead.hold.durable) ?? (await this.#settled(this.#charge(running, reading, 'answered', 200)));
    if (this.#ending !== null) return;
    if (refusal !== null) return this.#refuse(refusal, INTERNAL);
    this.#client.send(frame);
  }

  /** An error may be the answer to a response that was asked for: none comes then. */
  #answered(error: unknown): void {
    if (!isRecord(error) || this.#pending.length === 0) return;
    const { event_id: eventId, code, param } = error;
    const place = typeof eventId === 'string' ? this.#pending.indexOf(eventId) : -1;
    if (place >= 0) this.#pending.splice(place, 1);
    else if (code === 'conversation_already_has_active_response' || (typeof param === 'string' && param.startsWith('response')))
      this.#pending.shift();
  }

  // ---- Money

  #modelLimit(): number {
    return this.#route.price.maxOutputTokens ?? UNKNOWN_OUTPUT_LIMIT;
  }

  #need(): Need {
    const outputTokens = Math.max(this.#terms.maxOutput(this.#modelLimit()), this.#pendingOutput);
    return { promptTokens: this.#conversation.mostTokens, outputTokens };
  }

  #transcriptNeed(): Need {
    const { audioTokens } = this.#untranscribed;
    // Nobody speaks more than four tokens a second.
    return {
      promptTokens: audioTokens,
      outputTokens: Math.ceil((audioTokens * 4) / HEARD_TOKENS_PER_SECOND),
      seconds: Math.ceil(audioTokens / HEARD_TOKENS_PER_SECOND),
    };
  }

  /** Another model's price on the way of this session's own. */
  #routeOf(model: string): Route | Refusal {
    if (model === this.#route.model) return this.#route;
    if (!mayUseModel(this.#caller, model))
      return refuse('model_not_allowed', `This API key may not use the model "${model.slice(0, 200)}".`, { param: 'model' });
    const listed = this.#deps.directory.price(model);
    if (listed === undefined)
      return refuse('model_without_price', `The model "${model.slice(0, 200)}" has no price, so that its transcripts cannot be charged.`, {
        param: 'model',
      });
    return { ...this.#route, ...listed, model };
  }

  #transcriptMoney(model: string): MoneyAhead {
    if (this.#transcripts?.model === model) return this.#transcripts.money;
    const former = this.#transcripts?.money;
    if (former !== undefined) void this.#settled(former.end(0, 'client_left'));
    const money = new MoneyAhead(this.#deps, this.#call, this.#caller, () => this.#routeOf(model));
    money.onLost = (refusal) => this.#refuse(refusal, INTERNAL);
    this.#transcripts = { model, money };
    return money;
  }

  #settled<Result>(settling: Promise<Result>): Promise<Result> {
    this.#settling.add(settling);
    return settling.finally(() => this.#settling.delete(settling));
  }

  #isSilent({ texts, audioBytes, uncounted }: Running): boolean {
    return texts.length === 0 && audioBytes === 0 && uncounted === 0;
  }

  #record({ call, attemptId, begun }: Running, outcome: 'answered' | 'failed' | 'aborted'): void {
    const durationMs = Math.round(this.#deps.stopwatch.elapsed() - begun);
    const { channel, key } = this.#served;
    const keyId = key?.keyId ?? null;
    call.attempts.push({ attemptId, channelId: channel.channelId, channelKeyId: keyId, outcome, status: 101, durationMs });
  }

  async #charge(
    running: Running,
    reading: UsageReading,
    outcome: 'answered' | 'failed' | 'aborted',
    status: number,
  ): Promise<Refusal | null> {
    const { call, ahead, likely, texts, uncounted, audioBytes } = running;
    this.#record(running, outcome);
    const audioOutput = Math.ceil((audioBytes * SPOKEN_TOKENS_PER_SECOND) / this.#terms.spokenBytesPerSecond);
    const parsed = { ...ahead.parsed, reckoned: audioOutput === 0 ? likely : { ...likely, audioOutput } };
    const produced: Countable = { texts: texts.length === 0 ? [] : [texts.join('')], tokens: uncounted };
    const { channel, upstreamModel } = this.#served;
    const served = { channel, upstreamModel, attemptId: running.attemptId };
    const charged = await charge(this.#deps, call, ahead.hold, parsed, ahead.route, served, status, reading, () => produced);
    const refusal = isRefusal(charged) ? charged : null;
    if (refusal !== null) call.errorCode = refusal.refused;
    this.#finished(running, outcome, status);
    return refusal;
  }

  async #release(
    running: Running,
    reason: 'upstream_failed' | 'client_left' | 'shutdown',
    outcome: 'answered' | 'failed' | 'aborted',
    status: number,
  ): Promise<null> {
    const { call, ahead } = running;
    this.#record(running, outcome);
    if (reason === 'upstream_failed') call.errorCode = 'upstream_failed';
    if ((await ahead.hold.durable) === null) {
      const facts = call.facts('realtime', status, elapsed(this.#deps, call));
      const refusal = await this.#deps.spending.release(ahead.hold, { reason, reconcile: true, call: facts });
      if (refusal !== null) call.detail = `the release was not recorded: ${refusal.refused}`;
    }
    this.#finished(running, outcome, status);
    return null;
  }

  #finished(running: Running, outcome: 'answered' | 'failed' | 'aborted', status: number): void {
    const { call, ahead, span } = running;
    if (ahead.pass !== null) this.#deps.gate.leave(ahead.pass, call.usage, call.cost);
    span?.end(outcome, status);
    finish(this.#deps, call, status);
  }

  // ---- Its end

  get #isIdle(): boolean {
    return this.#running.size === 0 && this.#pending.length === 0;
  }

  get #isRenamed(): boolean {
    return this.#served.upstreamModel !== this.#route.model;
  }

  #tell(refusal: Refusal, eventId: string | null = null): void {
    this.#client.send(errorFrame(refusal, this.#deps.ids.next('event'), eventId));
  }

  #refuse(refusal: Refusal, code: number, eventId: string | null = null): void {
    this.#end({ by: 'us', refusal, code, reason: refusal.refused }, eventId);
  }

  /** Ends it now, or as soon as the response that runs has ended. */
  #leave(ending: Ending): void {
    if (this.#leaving !== null) return;
    if (this.#isIdle) return this.#end(ending);
    this.#leaving = ending;
    this.#leavingSince = this.#deps.stopwatch.elapsed();
  }

  #end(ending: Ending, eventId: string | null = null): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    const { by, refusal, code, reason } = ending;
    this.#deps.watch.remove(this.watched);
    this.#toUpstream.end();
    this.#toClient.end();
    this.#call.errorCode = refusal?.refused ?? null;
    if (by === 'client') this.#call.interrupt('client_left');
    else {
      if (refusal !== null) this.#tell(refusal, eventId);
      this.#client.close(code, reason.slice(0, 100));
    }
    if (by === 'client') this.#client.cut();
    // An upstream that is not listened to any more does not go on.
    if (by === 'upstream') this.#upstream.cut();
    else this.#upstream.close(by === 'client' ? sayable(code) : NORMAL, '');
    void this.#settle(ending).finally(() => {
      this.#deps.metrics.sessions(-1);
      this.#served.finish(by === 'upstream' && refusal !== null ? 'failed' : 'answered');
      this.#over();
    });
  }

  /** Whatever runs is charged by what came of it; what nobody took is given back. */
  async #settle({ by }: Ending): Promise<void> {
    const cut = [...this.#running.values()].map((running) => this.#cut(running, by));
    this.#running.clear();
    await Promise.allSettled([...cut, ...this.#settling]);
    const reason = by === 'client' ? 'client_left' : by === 'us' ? 'shutdown' : 'upstream_failed';
    await Promise.allSettled([this.#money.end(this.#pending.length, reason), this.#transcripts?.money.end(0, reason)]);
  }

  #cut(running: Running, by: Ending['by']): Promise<unknown> {
    const outcome = by === 'upstream' ? 'failed' : 'aborted';
    if (by === 'upstream') running.call.errorCode = 'upstream_failed';
    else if (by === 'us') running.call.errorCode = this.#ending?.refusal?.refused ?? null;
    else running.call.interrupt('client_left');
    const status = by === 'client' ? CLIENT_LEFT : 200;
    if (this.#isSilent(running) && by !== 'client')
      return this.#release(running, by === 'us' ? 'shutdown' : 'upstream_failed', outcome, status);
    return this.#charge(running, { kind: 'absent' }, outcome, status);
  }

  #check(now: number): void {
    const { pingMs, idleMs, sessionMs } = this.#deps.limits.realtime;
    for (const side of ['client', 'upstream'] as const) {
      // Whoever is not read cannot be heard.
      const isUnread = (side === 'client' ? this.#toUpstream : this.#toClient).isPaused;
      if (isUnread) this.#heard[side] = now;
      const silence = now - this.#heard[side];
      if (silence > 2 * pingMs) {
        (side === 'client' ? this.#client : this.#upstream).cut();
        return;
      }
      if (silence > pingMs && !this.#asked[side]) {
        this.#asked[side] = true;
        (side === 'client' ? this.#client : this.#upstream).ping();
      }
    }
    this.#checkReader(now);
    if (now - this.#begun > sessionMs)
      this.#leave({ by: 'us', refusal: null, code: GOING_AWAY, reason: 'the session has lasted for as long as one may' });
    else if (now - this.#lastFrame > idleMs) this.#leave({ by: 'us', refusal: null, code: GOING_AWAY, reason: 'nobody said anything' });
    if (this.#leaving !== null && now - this.#leavingSince > LAST_RESPONSE_MS) return this.#end(this.#leaving);
    if (now - this.#lookedAt >= STANDING_MS && !this.#isLooking) this.#look(now);
  }

  /** A client that leaves what it is sent unread is gone. */
  #checkReader(now: number): void {
    if (this.#client.unsentBytes <= this.#deps.limits.realtime.unsentBytes) this.#unreadSince = null;
    else this.#unreadSince ??= now;
    if (this.#unreadSince !== null && now - this.#unreadSince > this.#deps.limits.unreadMs) this.#client.cut();
  }

  /** Whether the key may still be used: news of it is in memory well within a second. */
  #look(now: number): void {
    this.#lookedAt = now;
    const standing = this.#standing();
    if (!(standing instanceof Promise)) {
      if (standing !== null) this.#refuse(standing, POLICY);
      return;
    }
    this.#isLooking = true;
    void standing
      .then((refusal) => {
        if (refusal !== null) this.#refuse(refusal, POLICY);
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }
}

/** What a transcript used: tokens or seconds, in the class that the price has a rate for. */
export const transcriptReading = (usage: unknown, { rates }: ModelPrice, reckonedTokens: number): UsageReading => {
  const inSeconds = rates.second !== undefined && rates.audioInput === undefined && rates.input === undefined;
  const said = isRecord(usage) ? usage : {};
  const seconds = said['type'] === 'duration' ? said['seconds'] : undefined;
  if (seconds !== undefined) {
    if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0)
      return { kind: 'unbelievable', why: 'the seconds are not a length' };
    const length = Math.ceil(seconds);
    return inSeconds || rates.second !== undefined
      ? { kind: 'reported', usage: { second: length }, promptTokens: 0, outputTokens: 0 }
      : {
          kind: 'reported',
          usage: { audioInput: length * HEARD_TOKENS_PER_SECOND },
          promptTokens: length * HEARD_TOKENS_PER_SECOND,
          outputTokens: 0,
        };
  }
  const reading = readRealtimeUsage(usage);
  if (!inSeconds || reading.kind === 'unbelievable') return reading;
  const tokens = reading.kind === 'reported' ? reading.promptTokens : reckonedTokens;
  return { kind: 'reported', usage: { second: Math.ceil(tokens / HEARD_TOKENS_PER_SECOND) }, promptTokens: 0, outputTokens: 0 };
};
