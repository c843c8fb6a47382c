import type { Request, Response } from 'express';
import type { z } from 'zod';
import { isoInstant } from '../../domain/kernel/iso-instant.ts';
import type { Attempt, CallFacts } from '../../schemas/events/lease.ts';
import type { Usage } from '../../schemas/usage.ts';
import type { ErrorCode, Refusal } from '../../schemas/errors.ts';
import type { RequestId } from '../../schemas/ids.ts';
import type { Money } from '../../schemas/money.ts';
import type { DirectoryToken, DirectoryUser } from '../ports/directory.ts';
import type { Hold } from '../ports/spending.ts';
import type { Stoppable } from './calls-in-flight.ts';
import type { ChunkedBody } from './chunked-body.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import type { CallRoom } from './bodies/body-room.ts';
import type { Pass } from './limits/pass.ts';

/** Kinds of calls whose requests and answers the relay knows. */
export type Endpoint = Exclude<z.infer<typeof CallFacts>['endpoint'], 'pass_through' | 'batches'>;

/** Whose key it is. */
export interface Caller {
  readonly token: DirectoryToken;
  readonly user: DirectoryUser;
}

/** Why a call is cut short. `not_recorded`: its reservation is not in the log and never will be. */
export type Interruption = 'client_left' | 'shutdown' | 'not_recorded';

/** A step of a call that can be told to end. */
export interface Interruptible {
  interrupt(why: Interruption): void;
}

/** What Express and its router leave with a request. Set and never deleted: V8 would make a table of the object, of a size many times its own. */
type Forgetful = Omit<Request, 'next'> & { next: unknown; _parsedUrl: unknown };

const NO_HEADERS: Request['headers'] = Object.freeze({});
const NO_RAW_HEADERS = Object.freeze([]) as unknown as string[];

/** One request from its first byte to its line in the log: what the steps of the pipeline leave for each other. */
export class Call implements Stoppable {
  readonly req: Request;
  readonly res: Response;
  readonly requestId: RequestId;
  readonly route: string;
  /** How its client is answered; once its body has been read that may depend on what it asks. */
  dialect: AnswerDialect;
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  /** The same in ISO 8601: made at once, when many calls begin in the same millisecond and share it. */
  readonly startedAtText: string;
  /** On the stopwatch. */
  readonly begun: number;
  caller: Caller | null = null;
  model: string | null = null;
  upstreamModel: string | null = null;
  channelId: string | null = null;
  streamed = false;
  readonly attempts: z.infer<typeof Attempt>[] = [];
  firstByteMs: number | null = null;
  errorCode: ErrorCode | null = null;
  usage: Usage | null = null;
  basis: string | null = null;
  cost: Money | null = null;
  replayed = false;
  /** What limits let it in, and what its answer says of them. */
  pass: Pass | null = null;
  limitHeaders: readonly string[] | null = null;
  /** For the operator's log. */
  detail: string | null = null;
  interrupted: Interruption | null = null;
  /** The step that runs, if it can be interrupted. An object and not a function made for the call: V8 keeps those alive until its next full collection, with all they see. */
  running: Interruptible | null = null;
  /** Where the pieces of a streamed answer go, once its head is written. */
  body: ChunkedBody | null = null;
  /** Keeps what is sent, for calls whose answer may be asked for again. */
  sent: Buffer[] | null = null;
  /** Is given the answer before it is charged; a refusal lets it be charged to nobody. */
  keep: ((body: Buffer, hold: Hold, model: string | null) => Promise<Refusal | null>) | null = null;
  /** What its body takes; `null` before it was read. */
  room: CallRoom | null = null;
  place = -1;

  constructor(req: Request, res: Response, route: string, dialect: AnswerDialect, requestId: RequestId, startedAt: number, begun: number) {
    this.req = req;
    this.res = res;
    this.route = route;
    this.dialect = dialect;
    this.requestId = requestId;
    this.startedAt = startedAt;
    this.startedAtText = isoInstant(startedAt);
    this.begun = begun;
  }

  /**
   * Whether nobody is there to read. A response that waits behind another on its connection never hears of the connection's
   * end, hence the second look.
   */
  get clientGone(): boolean {
    return this.interrupted === 'client_left' || this.res.destroyed || this.req.socket.destroyed;
  }

  interrupt(why: Interruption): void {
    if (this.interrupted !== null) {
      // What goes on though its client has left ends with the process all the same.
      if (why === 'shutdown') this.running?.interrupt(why);
      return;
    }
    this.interrupted = why;
    this.running?.interrupt(why);
  }

  stop(): void {
    this.interrupt('shutdown');
  }

  /** Nobody asks for the request's headers from here on, nor for what comes behind this in Express's chain: a long answer does not hold them. */
  forgetRequest(): void {
    const req = this.req as Forgetful;
    req.next = undefined;
    req._parsedUrl = undefined;
    req.headers = NO_HEADERS;
    req.rawHeaders = NO_RAW_HEADERS;
  }

  /** The row of the request log, as it goes into the event that ends the call's hold. */
  facts(endpoint: z.infer<typeof CallFacts>['endpoint'], status: number, durationMs: number): z.infer<typeof CallFacts> {
    const facts = {
      dialect: this.dialect.name,
      endpoint,
      streamed: this.streamed,
      status,
      startedAt: this.startedAtText,
      firstByteMs: this.firstByteMs,
      durationMs,
      attempts: this.attempts,
    } as const;
    return this.errorCode === null ? facts : { ...facts, errorCode: this.errorCode };
  }
}
