import { Router, type NextFunction, type Request, type Response } from 'express';
import { beginCommand } from '../../commands/begin-command.ts';
import type { CommandContext } from '../../commands/command-context.ts';
import type { CommandLog } from '../../commands/command-log.ts';
import { LogUnavailable } from '../../commands/log-unavailable.ts';
import type { Clock } from '../../commands/ports/clock.ts';
import { ReadModelsUnavailable } from '../../projections/engine/read-models-unavailable.ts';
import { CommandId, RequestId } from '../../schemas/ids.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Position } from '../../schemas/event-envelope.ts';
import type { RequestLogger } from '../ports/request-logger.ts';
import { sendCsv, sendEvents, sendFile, sendJson, sendLines } from './answers.ts';
import { admit, callerOf, type AuthenticateDeps } from './authenticate.ts';
import { actorOf, type Caller } from './caller.ts';
import { expectedRevisionOf, idempotencyKeyOf, parsePart, queryOf, readJson } from './call-input.ts';
import type { Call, Download, Handlers, StoredFile, StreamedRow } from './handler.ts';
import { JOURNAL_CSV_HEAD, journalCsvLine } from './journal-csv.ts';
import { LiveStreams } from './live-streams.ts';
import { sendProblem } from './problem.ts';
import type { Route } from './route.ts';
import { routes, type Operation } from './routes.ts';
import { setSecurityHeaders } from './security-headers.ts';
import type { UserChanges } from './user-changes.ts';
import { watchSession } from './watch-session.ts';

export interface ConsoleRouterDeps extends AuthenticateDeps, CommandLog {
  readonly handlers: Handlers;
  readonly clock: Clock;
  readonly requestLogger: RequestLogger;
  /** False when the read models have not seen the position within the time. */
  readonly waitFor: (position: Position, timeoutMs: number) => Promise<boolean>;
  readonly userChanges: UserChanges;
  readonly newRequestId: () => string;
  /** The client's address, proxies in front taken into account. */
  readonly addressOf: (request: Request) => string;
  /** Aborts when the server stops: live streams end then. */
  readonly stopping: AbortSignal;
}

/** Longest that a query waits for the caller's own writes. */
const OWN_WRITES_MS = 5_000;

type AnyHandler = (call: Call<Route>) => Promise<unknown>;

/** What became of a request, for the access log. */
interface Trace {
  readonly requestId: string;
  caller: Caller | null;
  refusal: Refusal | null;
  detail: string | undefined;
}

/** Refuses as soon as one part is wrong, in the order in which a caller would mend them. */
const inputOf = async (
  route: Route,
  request: Request,
): Promise<
  (Pick<Call<Route>, 'params' | 'query' | 'body' | 'expectedRevision'> & { readonly idempotencyKey: string | undefined }) | Refusal
> => {
  const params = route.params === undefined ? { value: undefined } : parsePart(route.params, request.params);
  // An address that is not even well formed names nothing.
  if (isRefusal(params)) return refuse('not_found');
  const query = route.query === undefined ? { value: undefined } : parsePart(route.query, queryOf(request.originalUrl));
  if (isRefusal(query)) return query;
  const json = route.method === 'get' ? { value: undefined } : await readJson(request);
  if (isRefusal(json)) return json;
  const body = route.body === undefined ? { value: undefined } : parsePart(route.body, json.value ?? {});
  if (isRefusal(body)) return body;
  const expected = route.ifMatch === true ? expectedRevisionOf(request) : { value: undefined };
  if (isRefusal(expected)) return expected;
  const key = idempotencyKeyOf(request);
  if (isRefusal(key)) return key;
  return {
    params: params.value as undefined,
    query: query.value as undefined,
    body: body.value as undefined,
    expectedRevision: expected.value,
    idempotencyKey: key.value,
  };
};

/**
 * The console's API, from the route table: whoever calls is known and admitted, the parts are parsed, the handler is called, its
 * answer is rendered. To be mounted under `/api`.
 */
export const createConsoleRouter = (deps: ConsoleRouterDeps): Router => {
  const router = Router();
  const live = new LiveStreams();

  const answer = async (
    operation: Operation,
    route: Route,
    request: Request,
    response: Response,
    trace: Trace,
  ): Promise<Refusal | null> => {
    const caller = await callerOf(deps, request);
    trace.caller = caller;
    const refused = admit(deps, route, caller, request);
    if (refused !== null) return refused;
    const input = await inputOf(route, request);
    if (isRefusal(input)) return input;
    const after = (input.query as { readonly after?: string } | undefined)?.after;
    if (after !== undefined && !(await deps.waitFor(BigInt(after) as Position, OWN_WRITES_MS)))
      return refuse('read_model_behind', undefined, { retryAfterSeconds: 1 });

    const stop = new AbortController();
    response.once('close', () => stop.abort());
    const onStopping = (): void => stop.abort();
    if (route.answer !== 'json') deps.stopping.addEventListener('abort', onStopping, { once: true });
    const { idempotencyKey, ...parts } = input;
    let begun: CommandContext | null = null;
    if (caller !== null && route.method !== 'get') {
      begun = contextOf(deps, caller, trace.requestId);
      if (idempotencyKey !== undefined) {
        const first = await beginCommand(deps, { operation, key: idempotencyKey, requestId: RequestId.parse(trace.requestId) }, begun);
        if (isRefusal(first)) return first;
        begun = first;
      }
    }
    const call: Call<Route> = {
      ...parts,
      caller: caller as Caller,
      address: deps.addressOf(request),
      signal: stop.signal,
      lastEventId: typeof request.headers['last-event-id'] === 'string' ? request.headers['last-event-id'] : undefined,
      cookie: {
        set: (claims) => response.setHeader('set-cookie', deps.sessions.setCookie(claims, deps.secureCookies)),
        clear: () => response.setHeader('set-cookie', deps.sessions.setCookie(null, deps.secureCookies)),
      },
      context: (tenant) => {
        if (begun === null) throw new Error(`${operation} runs a command for nobody`);
        return { ...begun, tenant };
      },
    };
    if (caller?.kind === 'user') {
      const renewed = deps.sessions.renewed(caller.session);
      if (renewed !== null) call.cookie.set(renewed);
    }
    try {
      const value = await (deps.handlers[operation] as AnyHandler)(call);
      if (isRefusal(value)) return value;
      switch (route.answer) {
        case 'json':
          sendJson(response, route, value);
          return null;
        case 'csv':
          await sendCsv(response, JOURNAL_CSV_HEAD, value as Download<unknown>, journalCsvLine as (row: unknown) => string, stop.signal);
          return null;
        case 'ndjson':
          await sendLines(response, route, value as Download<unknown>, stop.signal);
          return null;
        case 'file':
          await sendFile(response, value as StoredFile, stop.signal);
          return null;
        case 'events': {
          const ended = live.open(caller?.kind === 'user' ? caller.userId : 'operator');
          if (isRefusal(ended)) return ended;
          const unwatch = caller?.kind === 'user' ? watchSession(caller, deps, () => stop.abort()) : null;
          const name = operation === 'tailEvents' ? 'recorded' : 'request';
          const rows = value as AsyncIterable<StreamedRow<unknown>>;
          await sendEvents(response, route, { name, rows }, stop.signal).finally(() => {
            unwatch?.();
            ended();
          });
          return null;
        }
      }
    } catch (error) {
      if (stop.signal.aborted && response.destroyed) return null;
      throw error;
    } finally {
      deps.stopping.removeEventListener('abort', onStopping);
    }
  };

  const serve =
    (operation: Operation, route: Route) =>
    (request: Request, response: Response): void => {
      const began = deps.clock.now();
      const trace: Trace = { requestId: beginAnswer(deps, response), caller: null, refusal: null, detail: undefined };
      response.once('close', () => {
        deps.requestLogger.log({
          requestId: trace.requestId,
          startedAt: new Date(began).toISOString(),
          method: route.method.toUpperCase(),
          route: `/api${route.path.replaceAll(/:(\w+)/g, '{$1}')}`,
          status: response.statusCode,
          durationMs: deps.clock.now() - began,
          ...(trace.refusal === null ? {} : { errorCode: trace.refusal.refused }),
          ...(trace.caller?.kind === 'user' ? { userId: trace.caller.userId } : {}),
          ...(trace.detail === undefined ? {} : { detail: trace.detail }),
        });
      });
      answer(operation, route, request, response, trace)
        .catch((error: unknown) => {
          if (error instanceof LogUnavailable) return refuse('log_unavailable');
          trace.detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
          return refuse(error instanceof ReadModelsUnavailable ? 'read_model_behind' : 'internal');
        })
        .then((refusal) => {
          trace.refusal = refusal;
          if (refusal === null || response.destroyed) return;
          if (response.headersSent) response.destroy();
          else sendProblem(response, refusal, trace.requestId);
        })
        .catch(() => response.destroy());
    };

  for (const [operation, route] of Object.entries(routes) as [Operation, Route][])
    router[route.method](route.path, serve(operation, route));

  router.use((request: Request, response: Response, _next: NextFunction) => {
    const requestId = beginAnswer(deps, response);
    const known = (Object.values(routes) as readonly Route[]).filter(({ path }) => matches(path, request.path));
    if (known.length > 0) response.setHeader('allow', known.map(({ method }) => method.toUpperCase()).join(', '));
    sendProblem(response, known.length > 0 ? refuse('method_not_allowed') : refuse('not_found'), requestId);
  });
  // Express's own refusal, of an address that is not valid percent-encoding: it names nothing either.
  router.use((_error: unknown, _request: Request, response: Response, _next: NextFunction) =>
    sendProblem(response, refuse('not_found'), beginAnswer(deps, response)),
  );
  return router;
};

const contextOf = ({ clock }: ConsoleRouterDeps, caller: Caller, requestId: string): CommandContext => ({
  commandId: CommandId.parse(requestId),
  correlationId: requestId,
  causationId: requestId,
  actor: actorOf(caller),
  tenant: 'platform',
  occurredAt: new Date(clock.now()).toISOString(),
});

/** The request's id, on the answer: the server's own when it has given one already. */
const beginAnswer = (deps: ConsoleRouterDeps, response: Response): string => {
  const given = response.getHeader('x-request-id');
  const requestId = typeof given === 'string' ? given : deps.newRequestId();
  response.setHeader('x-request-id', requestId);
  setSecurityHeaders(response, deps.secureCookies);
  return requestId;
};

const matches = (pattern: string, path: string): boolean => {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith(':') || part === given[index]);
};
