import { refuse, type Refusal } from '../../../schemas/errors.ts';
import type { FrameListener, FrameSocket } from '../../ports/frame-sockets.ts';
import type { Call, Caller } from '../call.ts';
import type { Stoppable } from '../calls-in-flight.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { Route } from '../route.ts';
import type { Watched } from '../watch.ts';
import { AskedResponses } from './asked-responses.ts';
import { ClientEvents } from './client-events.ts';
import type { Connected } from './connect.ts';
import { Conversation } from './conversation.ts';
import { endingOfUpstream, GOING_AWAY, INTERNAL, NORMAL, POLICY, RESTART, sayable, type Closing, type Ending } from './ending.ts';
import { errorFrame } from './frames.ts';
import { Lane } from './lane.ts';
import type { MoneyAhead } from './money-ahead.ts';
import { AgreedTerms } from './session-terms.ts';
import type { SessionParts } from './session-parts.ts';
import { SessionTimes, type Side } from './session-times.ts';
import { Settling } from './settling.ts';
import { StandingLook } from './standing-look.ts';
import { Transcripts } from './transcripts.ts';
import { UpstreamEvents } from './upstream-events.ts';

/** A session that is to end waits so long for a response that runs. */
const LAST_RESPONSE_MS = 60_000;

/**
 * One realtime session, from the moment that both sockets are open. Frames pass as they are; what they say is read for the money only: nothing
 * that can begin a response goes to the upstream without a hold, and no `response.done` to the client before its charge is on record.
 */
export class RealtimeSession {
  readonly #deps: PipelineDeps;
  readonly #parts: SessionParts;
  readonly #sockets: Readonly<Record<Side, FrameSocket>>;
  readonly #toUpstream: Lane;
  readonly #toClient: Lane;
  readonly #times: SessionTimes;
  readonly #standing: StandingLook;
  #ending: Ending | null = null;
  /** It ends once no response runs. */
  #leaving: Ending | null = null;
  #leavingSince = 0;
  #over: () => void = () => undefined;
  /** Everything that was held has been charged or given back. */
  readonly over: Promise<void>;
  readonly stoppable: Stoppable;
  readonly watched: Watched;

  /** `standing`: whether the key is good; `null`: it is. */
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
    const upstream = served.socket;
    const parties = { deps, call, caller, route, served };
    const settling = new Settling();
    this.#deps = deps;
    this.#sockets = { client, upstream };
    this.#parts = {
      ...parties,
      client,
      upstream,
      money,
      terms: new AgreedTerms(),
      conversation: new Conversation(),
      asked: new AskedResponses(),
      running: new Map(),
      transcripts: new Transcripts(parties, settling, (refusal) => this.#refuse(refusal, INTERNAL)),
      settling,
    };
    this.#times = new SessionTimes(deps.limits, deps.stopwatch.elapsed());
    this.#standing = new StandingLook(standing, (refusal) => this.#refuse(refusal, POLICY));
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
    const closing: Closing = {
      isOver: () => this.#ending !== null,
      isLeaving: () => this.#leaving !== null,
      leftIdle: () => this.#leftIdle(),
      tell: (refusal, eventId) => this.#tell(refusal, eventId),
      refuse: (refusal, code, eventId) => this.#refuse(refusal, code, eventId),
    };
    const ofClient = new ClientEvents(this.#parts, closing);
    const ofUpstream = new UpstreamEvents(this.#parts, closing);
    const { unsentBytes } = deps.limits.realtime;
    const failed = (cause: unknown): void => {
      call.detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      this.#refuse(refuse('internal'), INTERNAL);
    };
    this.#toUpstream = new Lane(client, upstream, unsentBytes, (frame) => ofClient.pass(frame), failed);
    this.#toClient = new Lane(upstream, client, unsentBytes, (frame) => ofUpstream.pass(frame), failed);
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
    const { money, upstream, client } = this.#parts;
    metrics.sessions(1);
    money.onLost = (refusal) => this.#refuse(refusal, INTERNAL);
    watch.add(this.watched);
    upstream.listen(this.#listener('upstream', this.#toClient, this.#toUpstream));
    client.listen(this.#listener('client', this.#toUpstream, this.#toClient));
  }

  #listener(side: Side, fromHere: Lane, toHere: Lane): FrameListener {
    const { stopwatch } = this.#deps;
    return {
      frame: (frame) => {
        this.#times.framed(stopwatch.elapsed());
        fromHere.push(frame);
      },
      heard: () => this.#times.heard(side, stopwatch.elapsed()),
      sent: () => toHere.settle(),
      closed: (code, reason) => {
        if (side === 'client') return this.#end({ by: 'client', refusal: null, code, reason });
        const brokenOff = refuse('upstream_failed', 'The upstream broke the session off.');
        // What it sent before it left still counts.
        fromHere.whenDry(() => this.#end(endingOfUpstream(code, reason, brokenOff)));
      },
    };
  }

  #tell(refusal: Refusal, eventId: string | null = null): void {
    this.#parts.client.send(errorFrame(refusal, this.#deps.ids.next('event'), eventId));
  }

  #refuse(refusal: Refusal, code: number, eventId: string | null = null): void {
    this.#end({ by: 'us', refusal, code, reason: refusal.refused }, eventId);
  }

  get #isIdle(): boolean {
    return this.#parts.running.size === 0 && this.#parts.asked.count === 0;
  }

  /** Ends it now, or as soon as the response that runs has ended. */
  #leave(ending: Ending): void {
    if (this.#leaving !== null) return;
    if (this.#isIdle) return this.#end(ending);
    this.#leaving = ending;
    this.#leavingSince = this.#deps.stopwatch.elapsed();
  }

  #leftIdle(): boolean {
    if (this.#leaving === null || !this.#isIdle) return false;
    this.#end(this.#leaving);
    return true;
  }

  #end(ending: Ending, eventId: string | null = null): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    const { by, refusal, code, reason } = ending;
    const { call, client, upstream, served } = this.#parts;
    this.#deps.watch.remove(this.watched);
    this.#toUpstream.end();
    this.#toClient.end();
    call.errorCode = refusal?.refused ?? null;
    if (by === 'client') call.interrupt('client_left');
    else {
      if (refusal !== null) this.#tell(refusal, eventId);
      client.close(code, reason.slice(0, 100));
    }
    if (by === 'client') client.cut();
    // An upstream that is not listened to any more does not go on.
    if (by === 'upstream') upstream.cut();
    else upstream.close(by === 'client' ? sayable(code) : NORMAL, '');
    void this.#settle(ending).finally(() => {
      this.#deps.metrics.sessions(-1);
      served.finish(by === 'upstream' && refusal !== null ? 'failed' : 'answered');
      this.#over();
    });
  }

  /** Whatever runs is charged by what came of it; what nobody took is given back. */
  async #settle(ending: Ending): Promise<void> {
    const { running, terms, settling, money, asked, transcripts } = this.#parts;
    const cut = [...running.values()].map((response) => response.cut(ending, terms.spokenBytesPerSecond));
    running.clear();
    await Promise.allSettled([...cut, settling.settled()]);
    const reason = ending.by === 'client' ? 'client_left' : ending.by === 'us' ? 'shutdown' : 'upstream_failed';
    await Promise.allSettled([money.end(asked.count, reason), transcripts.end(reason)]);
  }

  #check(now: number): void {
    const unread = { client: this.#toUpstream.isPaused, upstream: this.#toClient.isPaused };
    const due = this.#times.check(now, { unread, unsentBytes: this.#parts.client.unsentBytes });
    for (const each of due) {
      switch (each.kind) {
        case 'quiet':
          this.#sockets[each.side].ping();
          break;
        case 'silent':
          return this.#sockets[each.side].cut();
        case 'unread':
          this.#sockets.client.cut();
          break;
        case 'over':
          this.#leave({ by: 'us', refusal: null, code: GOING_AWAY, reason: each.reason });
      }
    }
    if (this.#leaving !== null && now - this.#leavingSince > LAST_RESPONSE_MS) return this.#end(this.#leaving);
    this.#standing.check(now);
  }
}
