import type { Request, Response } from 'express';
import { toDollarText } from '../../domain/ledger/money.ts';
import type { RequestId } from '../../schemas/ids.ts';
import type { CallOutcome } from '../ports/relay-metrics.ts';
import { sendInternal } from './answer.ts';
import { Call } from './call.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import { CLIENT_LEFT, elapsed } from './held-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';

/** A request as a {@link Call}: its id is made here and is on every answer. */
export const newCall = (
  deps: Pick<PipelineDeps, 'ids' | 'clock' | 'stopwatch'>,
  req: Request,
  res: Response,
  routeName: string,
  dialect: AnswerDialect,
): Call =>
  // The source of ids makes them in this shape; parsing each would cost as much as all else about it.
  new Call(req, res, routeName, dialect, deps.ids.next('req') as RequestId, deps.clock.now(), deps.stopwatch.elapsed());

/** What became of a call, in one word. */
export const outcomeOf = (call: Call): CallOutcome => {
  if (call.replayed) return 'replayed';
  if (call.interrupted === 'client_left') return 'client_left';
  if (call.errorCode === null) return 'answered';
  return call.attempts.length > 0 ? 'upstream_error' : 'refused';
};

/** The end of every request, whatever became of it: one line, one set of figures. */
export const finish = (deps: PipelineDeps, call: Call, status: number = call.res.headersSent ? call.res.statusCode : CLIENT_LEFT): void => {
  const { caller } = call;
  const durationMs = elapsed(deps, call);
  const outcome = outcomeOf(call);
  deps.metrics.callFinished({
    route: call.route,
    model: call.upstreamModel === null ? '' : (call.model ?? ''),
    channelId: call.channelId ?? '',
    streamed: call.streamed,
    status,
    outcome,
    durationMs,
    firstByteMs: call.firstByteMs,
  });
  const isOfModel = call.model !== null;
  // One object with a place for everything: one that grows member by member is made anew several times. What is undefined is not written.
  deps.logger.log({
    requestId: call.requestId,
    startedAt: call.startedAtText,
    method: call.req.method,
    route: call.route,
    status,
    durationMs,
    errorCode: call.errorCode ?? undefined,
    userId: caller?.user.userId,
    tokenId: caller?.token.tokenId,
    model: call.model ?? undefined,
    streamed: isOfModel ? call.streamed : undefined,
    attempts: isOfModel ? call.attempts.length : undefined,
    firstByteMs: isOfModel ? call.firstByteMs : undefined,
    channelId: call.channelId ?? undefined,
    upstreamModel: call.upstreamModel === null || call.upstreamModel === call.model ? undefined : call.upstreamModel,
    usage: call.usage ?? undefined,
    basis: call.basis ?? undefined,
    cost: call.cost === null ? undefined : toDollarText(call.cost),
    clientLeft: call.interrupted === 'client_left' || undefined,
    replayed: call.replayed || undefined,
    detail: call.detail ?? undefined,
  });
};

/** Runs a step that answers the call, and does what has to be done around every request. */
export const around = (deps: PipelineDeps, call: Call, answer: () => Promise<void> | void): Promise<void> => {
  deps.metrics.callStarted(call.route);
  const failed = (cause: unknown): void => {
    sendInternal(call, cause);
    finish(deps, call);
  };
  // No async function: thousands of calls may wait here for their answer's end, and each would hold a frame.
  try {
    return Promise.resolve(answer()).then(() => finish(deps, call), failed);
  } catch (cause) {
    failed(cause);
    return Promise.resolve();
  }
};
