import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Request, Response } from 'express';
import { UNKNOWN_OUTPUT_LIMIT } from '../../../domain/pricing/worst-case.ts';
import { isRefusal, refuse, type Refusal } from '../../../schemas/errors.ts';
import { sendBody, sendInternal, sendRefusal } from '../answer.ts';
import { admit, authenticate, presentedKey } from '../authenticate.ts';
import type { Call, Caller } from '../call.ts';
import { openaiAnswers } from '../dialects/openai-answers.ts';
import { moneyOf } from '../endpoints/endpoints.ts';
import type { ParsedRealtime } from '../endpoints/realtime.ts';
import { elapsed } from '../held-call.ts';
import { finish, newCall } from '../around-call.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { route, type Route } from '../route.ts';
import { startCallSpan } from '../trace.ts';
import { connect } from './connect.ts';
import { MoneyAhead } from './money-ahead.ts';
import { RealtimeSession } from './session.ts';

export const REALTIME = '/v1/realtime';

/** Where browsers put a key: they cannot set headers. */
const KEY_PROTOCOL = 'openai-insecure-api-key.';
const BETA_PROTOCOL = 'openai-beta.realtime-v1';
const PROTOCOL = 'realtime';

const HANDSHAKE_KEY = /^[+/0-9A-Za-z]{22}==$/;

/** The subprotocols that a client offers; `null` where the header is not one. */
const offered = ({ headers }: IncomingMessage): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** Puts what a browser says in subprotocols where everybody else says it. */
const readProtocols = (req: IncomingMessage): string | null => {
  const names = offered(req);
  const key = names.find((name) => name.startsWith(KEY_PROTOCOL));
  if (key !== undefined && req.headers.authorization === undefined) req.headers.authorization = `Bearer ${key.slice(KEY_PROTOCOL.length)}`;
  if (names.includes(BETA_PROTOCOL)) req.headers['openai-beta'] ??= 'realtime=v1';
  return names.includes(PROTOCOL) ? PROTOCOL : null;
};

const handshakeFault = ({ method, headers }: IncomingMessage): Refusal | null => {
  if (method !== 'GET') return refuse('method_not_allowed', 'A session is asked for with GET.');
  const key = headers['sec-websocket-key'];
  if (headers['sec-websocket-version'] !== '13' || key === undefined || !HANDSHAKE_KEY.test(key))
    return refuse('invalid_request', 'The handshake is not one of WebSocket’s version 13.');
  return offered({ headers } as IncomingMessage).every((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
    ? null
    : refuse('invalid_request', 'The header sec-websocket-protocol is not valid.');
};

const ignore = (): void => undefined;

/** A place under the limits that operators set: for as long as the session lasts. */
const passPlaces = async (
  deps: PipelineDeps,
  call: Call,
  caller: Caller,
  planned: Route,
  parsed: ParsedRealtime,
): Promise<Refusal | null> => {
  if (deps.gate.isOpen) return null;
  const entered = await deps.gate.enter(call, caller, parsed, planned, 'places');
  if (entered.kind === 'refused') return entered.refusal;
  if (entered.kind === 'instead') return refuse('rate_limited', `A limit of the model "${planned.model}" is reached.`);
  call.pass = entered.pass;
  return null;
};

/** Everything up to the session itself: whatever is refused is answered in HTTP. `null`: it has been. */
const prepare = async (
  deps: PipelineDeps,
  call: Call,
  caller: Caller,
): Promise<{ readonly planned: Route; readonly money: MoneyAhead } | Refusal> => {
  const model = new URLSearchParams(call.req.url.slice(call.req.url.indexOf('?') + 1)).get('model') ?? '';
  if (model === '') return refuse('invalid_request', 'Name a model: /v1/realtime?model=…', { param: 'model' });
  call.model = model.slice(0, 200);
  const planned = route(deps.directory, caller, call.model, 'realtime');
  if (isRefusal(planned)) return planned;
  call.model = planned.model;
  call.streamed = true;
  const need = { promptTokens: 0, outputTokens: planned.price.maxOutputTokens ?? UNKNOWN_OUTPUT_LIMIT };
  const limited = await passPlaces(deps, call, caller, planned, {
    endpoint: 'realtime',
    body: Buffer.alloc(0),
    request: { model: planned.model },
    bound: { ...need, audioInput: true, imageInput: true, audioOutput: true, imageOutput: false, toolUses: 0 },
    reckoned: {},
  });
  if (limited !== null) return limited;
  // Each response is charged at the price that is in force when its money is set aside.
  const routeNow = (): Route | Refusal => {
    const listed = deps.directory.price(planned.model);
    return listed === undefined
      ? refuse('model_without_price')
      : { ...planned, ...listed, groupRatio: deps.directory.groupRatio(planned.group) };
  };
  const money = new MoneyAhead(deps, call, caller, routeNow);
  const refusal = await money.secure(1, need);
  return refusal ?? { planned, money };
};

/** Whether the caller's key is still good. */
const standingOf = (deps: PipelineDeps, call: Call): (() => Refusal | null | Promise<Refusal | null>) => {
  const key = presentedKey(call.req);
  const hash = key === null ? null : deps.apiKeys.hashOf(key);
  const { door } = moneyOf('realtime');
  return () => {
    const token = hash === null ? undefined : deps.directory.tokenByHash(hash);
    const user = token === undefined ? undefined : deps.directory.user(token.userId);
    const judged = (caller: Caller): Refusal | null => {
      const admitted = admit(deps, call, door, 'spend', caller);
      return isRefusal(admitted) ? admitted : null;
    };
    if (token !== undefined && user !== undefined) return judged({ token, user });
    const looking = hash === null ? null : deps.directory.lookUp(hash);
    if (looking === null) return refuse('invalid_api_key');
    // Whoever cannot be asked at the moment says nothing against it.
    return looking.then((found) => (found === 'unknown' ? refuse('invalid_api_key') : found === 'unavailable' ? null : judged(found)));
  };
};

/** Opens a session for a client that asks for one, and sees it to its end. */
export const openSession = async (deps: PipelineDeps, req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
  const protocol = readProtocols(req);
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket as Socket);
  res.on('finish', () => (socket as Socket).destroySoon());
  res.on('error', ignore);
  const call = newCall(deps, req as Request, res as Response, REALTIME, openaiAnswers);
  const left = (): void => call.interrupt('client_left');
  socket.on('error', ignore);
  socket.once('close', left);
  const span = startCallSpan(deps.tracer, call);
  deps.metrics.callStarted(call.route);
  let status: number | undefined;
  try {
    status = await serve(deps, call, socket, head, protocol, () => {
      socket.off('close', left);
      res.removeAllListeners('finish');
      res.detachSocket(socket as Socket);
    });
  } catch (cause) {
    sendInternal(call, cause);
  }
  finish(deps, call, status);
  span?.end(call.errorCode ?? 'answered', status ?? (res.headersSent ? res.statusCode : null));
};

const serve = async (
  deps: PipelineDeps,
  call: Call,
  socket: Duplex,
  head: Buffer,
  protocol: string | null,
  detach: () => void,
): Promise<number | undefined> => {
  const refused = (refusal: Refusal): undefined => {
    sendRefusal(call, refusal, ['connection', 'close']);
  };
  const fault = handshakeFault(call.req);
  if (fault !== null) return refused(fault);
  if (!deps.inFlight.admitting) return refused(refuse('shutting_down', undefined, { retryAfterSeconds: 1 }));
  const caller = await authenticate(deps, call, moneyOf('realtime').door, 'spend');
  if (isRefusal(caller)) return refused(caller);
  const limited = await deps.limiter.enter(caller);
  if (limited !== null) return refused(limited);
  const opening = { place: -1, stop: () => call.stop() };
  deps.inFlight.add(opening);
  let money: MoneyAhead | null = null;
  try {
    const prepared = await prepare(deps, call, caller);
    if (isRefusal(prepared)) return refused(prepared);
    const { planned } = prepared;
    ({ money } = prepared);
    const connected = await connect(deps, call, planned);
    if (isRefusal(connected)) return refused(connected);
    if ('passed' in connected) {
      call.errorCode = 'upstream_refused';
      const { status, body } = connected.passed;
      const isJson = body[0] === 0x7b;
      const words = isJson ? body : openaiAnswers.errorBody(refuse('upstream_refused'), call.requestId);
      sendBody(call, status, 'application/json', words, ['connection', 'close']);
      return undefined;
    }
    const unused = await money.recorded();
    const isRefusedLate = unused ?? (call.interrupted === null ? null : refuse('shutting_down'));
    const accepted = isRefusedLate === null ? accept(deps, call, socket, head, protocol, detach, connected.channel.channelId) : null;
    if (accepted === null) {
      connected.socket.cut();
      connected.finish('aborted');
      return isRefusedLate === null ? undefined : refused(isRefusedLate);
    }
    const session = new RealtimeSession(deps, call, caller, planned, connected, accepted, money, standingOf(deps, call));
    money = null;
    deps.inFlight.add(session.stoppable);
    deps.inFlight.delete(opening);
    session.begin();
    if (!deps.inFlight.admitting) session.stoppable.endSoon?.();
    await session.over;
    deps.inFlight.delete(session.stoppable);
    return 101;
  } finally {
    await money?.end(0, 'upstream_failed');
    deps.limiter.leave(caller);
    if (call.pass !== null) deps.gate.leave(call.pass, null, null);
    deps.inFlight.delete(opening);
  }
};

const accept = (
  deps: PipelineDeps,
  call: Call,
  socket: Duplex,
  head: Buffer,
  protocol: string | null,
  detach: () => void,
  channelId: string,
) => {
  if (socket.destroyed) return null;
  detach();
  call.firstByteMs = elapsed(deps, call);
  const headers = { 'x-request-id': call.requestId, 'x-oblivious-channel': channelId };
  return deps.frameSockets.accept({ req: call.req, socket, head, protocol, headers, frameBytes: deps.limits.realtime.frameBytes });
};
