import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { toDollarText } from '../../domain/ledger/money.ts';
import { isOpenaiError, saidByForeignError } from '../../domain/dialects/openai/foreign-error.ts';
import { promptTokensOf } from '../../domain/pricing/cost.ts';
import { providerOf } from '../../domain/providers/providers.ts';
import type { Countable } from '../../domain/tokens/chat-text.ts';
import { errorTable, isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { RequestId } from '../../schemas/ids.ts';
import type { CallOutcome } from '../ports/relay-metrics.ts';
import { sendBody, sendHead, sendInternal, sendRefusal } from './answer.ts';
import { attempt } from './attempt.ts';
import type { AttemptDeps } from './attempt-deps.ts';
import type { Attempted, Served } from './attempted.ts';
import { authenticate } from './authenticate.ts';
import { Call, type Caller } from './call.ts';
import type { ResponsesWords } from './endpoints/chat.ts';
import { CallRoom } from './bodies/body-room.ts';
import { charge, outputTokensOf, type ChargedCall } from './charge.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import { parsedJson } from './dialects/parsed-json.ts';
import { acceptedEncoding, encodeBody } from './content-encoding.ts';
import { detachedCall } from './detached-call.ts';
import type { Background, Pinned, Prepare, SpendingRoute } from './spending-route.ts';
import { CLIENT_LEFT, elapsed, release, type HeldCall } from './held-call.ts';
import { renameModel } from './convert.ts';
import { wordsOf } from './endpoints/form.ts';
import { boundaryOf } from './form-scanner.ts';
import { heldUpload, readUpload, type Upload } from './upload.ts';
import { sendHeard } from './send-heard.ts';
import { parse, rulesOf } from './endpoints/endpoints.ts';
import type { ParsedRequest } from './endpoints/parsed-request.ts';
import { bytesOfAnswer, valueOfAnswer } from './hub-answer.ts';
import { IDEMPOTENCY_KEY, type KeptAnswer, type KeptAnswers } from './kept-answers.ts';
import type { Limiter } from './limit.ts';
import type { LimitGate } from './limits/limit-gate.ts';
import { limitHeaders } from './limits/limit-headers.ts';
import { readBody } from './read-body.ts';
import { reserve, type Reserved } from './reserve.ts';
import { pinnedTo, route, type Route } from './route.ts';
import {
  endStream,
  endStreamRefused,
  errorOfEnd,
  relayStream,
  streamHeaders,
  type ChargedTokens,
  type StreamOptions,
  type StreamResult,
} from './stream.ts';
import { sendTask } from './tasks/send-task.ts';
import type { TaskAsked } from './tasks/task-asked.ts';
import { startCallSpan } from './trace.ts';

export interface PipelineDeps extends AttemptDeps {
  readonly limiter: Limiter;
  readonly kept: KeptAnswers;
  readonly gate: LimitGate;
}

/** `call.detail` says more in the log; the hold, if any, gives itself back. */
const notRecorded = (held: HeldCall, refusal: Refusal): void => {
  held.ended = true;
  held.claim?.open();
  sendRefusal(held.call, refusal);
};

type Plain = Extract<Attempted, { kind: 'plain' }>;

/** No async function, nor what follows it on the way of most calls: it would hold a place for all that any of them names. */
const sendPlain = (deps: PipelineDeps, held: HeldCall, attempted: Plain): Promise<void> => {
  if (held.task !== null) return sendTask(deps, held, held.task, attempted);
  attempted.served.finish('answered');
  return held.call.keep === null ? chargePlain(deps, held, attempted) : keepPlain(deps, held, attempted, held.call.keep);
};

const keepPlain = async (deps: PipelineDeps, held: HeldCall, attempted: Plain, keep: NonNullable<Call['keep']>): Promise<void> => {
  const { call, hold } = held;
  const notKept = await keep(bytesOfAnswer(attempted.body), hold, call.model);
  if (notKept === null) return chargePlain(deps, held, attempted);
  await release(deps, held, 'refused', true, errorTable[notKept.refused].status);
  sendRefusal(call, notKept);
};

/** All that is left before the first byte is the charge. */
const chargePlain = (deps: PipelineDeps, held: HeldCall, attempted: Plain): Promise<void> => {
  const { call, parsed, route: planned, hold } = held;
  const { body, scanned, native, served } = attempted;
  const rules = rulesOf(parsed.endpoint);
  const reading =
    native === null
      ? rules.reading({ body, usage: scanned.usage }, parsed, planned.price)
      : native.reading(bytesOfAnswer(body), scanned.usage);
  call.firstByteMs = elapsed(deps, call);
  held.ended = true;
  const charging = charge(deps, call, hold, parsed, planned, served, call.clientGone ? CLIENT_LEFT : 200, reading, () =>
    native === null ? rules.produced(body) : native.produced(bytesOfAnswer(body)),
  );
  return charging.then((charged) => {
    if (!isRefusal(charged)) return answerPlain(deps, held, attempted, charged);
    held.claim?.spent();
    sendRefusal(call, charged);
  });
};

const answerPlain = (deps: PipelineDeps, held: HeldCall, attempted: Plain, charged: ChargedCall): Promise<void> | void => {
  const { call } = held;
  const { body, scanned, native, served } = attempted;
  const { model } = held.route;
  const said =
    native === null && call.dialect.answer !== null
      ? call.dialect.answer(valueOfAnswer(body), call.usage ?? {}, { requestId: call.requestId, model })
      : bytesOfAnswer(served.upstreamModel === model ? body : renameModel(body, scanned.model, model));
  return said instanceof Promise
    ? said.then((told) => sendSaid(deps, held, attempted, charged, told))
    : sendSaid(deps, held, attempted, charged, said);
};

/** What was said, as the client gets it. */
const sendSaid = (
  { limits }: PipelineDeps,
  { call, parsed, claim }: HeldCall,
  { contentType, served }: Plain,
  { cost }: ChargedCall,
  said: Buffer,
): Promise<void> | void => {
  const body = rulesOf(parsed.endpoint).finish(said, parsed);
  const headers = ['x-oblivious-cost', toDollarText(cost), 'x-oblivious-channel', served.channel.channelId];
  claim?.done({ status: 200, headers: ['content-type', contentType, ...headers], body });
  const encoding = body.length < limits.packedBytes ? null : acceptedEncoding(call.req.headers['accept-encoding']);
  if (encoding === null) return sendBody(call, 200, contentType, body, headers);
  headers.push('content-encoding', encoding, 'vary', 'accept-encoding');
  return encodeBody(body, encoding).then((packed) => sendBody(call, 200, contentType, packed, headers));
};

const tokensOf = (charged: ChargedCall): ChargedTokens | null =>
  charged.basis === 'held'
    ? null
    : {
        promptTokens: promptTokensOf(charged.usage),
        outputTokens: outputTokensOf(charged.usage),
        estimated: charged.basis === 'estimated',
      };

const channelHeader = ({ channel }: Served): readonly string[] => ['x-oblivious-channel', channel.channelId];

/** What is left to do when nothing more will come of a stream. */
const finishStream = async (
  deps: PipelineDeps,
  held: HeldCall,
  served: Served,
  options: StreamOptions,
  result: StreamResult,
): Promise<void> => {
  const { call, parsed, hold, claim } = held;
  const closer = options.native ?? options.writer;
  const left = result.end === 'client_left' || result.end === 'unread';
  const ours = left || result.end === 'shutdown';
  served.finish(
    result.end === 'done' ? 'answered' : ours ? 'aborted' : result.end === 'silent' || result.end === 'too_long' ? 'timed_out' : 'failed',
  );
  call.errorCode = errorOfEnd(result.end);
  const status = call.res.headersSent ? 200 : CLIENT_LEFT;
  if (result.produced.empty && result.reading.kind === 'absent' && !left) {
    await release(deps, held, result.end === 'shutdown' ? 'shutdown' : 'upstream_failed', true, status);
    const last = closer !== null && result.end === 'done' ? await closer.end({}) : null;
    return endStream(call, result, null, { ...options, closer, last });
  }
  held.ended = true;
  const charged = await charge(deps, call, hold, parsed, held.route, served, status, result.reading, () => result.produced.countable());
  if (isRefusal(charged)) {
    claim?.spent();
    call.errorCode = charged.refused;
    return endStreamRefused(call, charged, closer);
  }
  const last = closer !== null && result.end === 'done' ? await closer.end(call.usage ?? {}) : null;
  endStream(call, result, { cost: charged.cost, tokens: tokensOf(charged) }, { ...options, closer, last });
  if (claim === null) return;
  // Half an answer is not worth repeating, and the whole one was not paid for.
  if (result.end === 'done')
    claim.done({ status: 200, headers: [...streamHeaders(call), ...channelHeader(served)], body: Buffer.concat(call.sent ?? []) });
  else claim.spent();
};

const NO_BODY = Buffer.alloc(0);

/** No async function: it would hold a frame for as long as the stream lasts. */
const sendStream = (deps: PipelineDeps, held: HeldCall, attempted: Extract<Attempted, { kind: 'stream' }>): Promise<void> => {
  const { call, parsed, claim } = held;
  const { served, source, native: form } = attempted;
  if (parsed.endpoint !== 'chat' && parsed.endpoint !== 'completions') throw new Error('only text streams');
  const usageWanted = parsed.request.stream_options?.include_usage === true;
  const isRenamed = served.upstreamModel !== held.route.model;
  const native = form?.stream({ dialect: call.dialect, requestId: call.requestId, renamedTo: isRenamed ? held.route.model : null }) ?? null;
  const writer = native === null ? call.dialect.streamWriter({ requestId: call.requestId, model: held.route.model }) : null;
  const renamedTo = native === null && writer === null && isRenamed ? held.route.model : null;
  const chunkObject = parsed.endpoint === 'chat' ? 'chat.completion.chunk' : 'text_completion';
  const readOn = providerOf(served.channel.settings.provider)?.billsAborted === true;
  const options: StreamOptions = { usageWanted, renamedTo, chunkObject, native, writer, readOn };
  if (claim !== null) call.sent = [];
  // Nobody will be asked again.
  held.parsed = { ...parsed, body: NO_BODY };
  return relayStream(deps, call, source, channelHeader(served), options).then((result) =>
    finishStream(deps, held, served, options, result),
  );
};

/** No error that can be told is longer. */
const FOREIGN_ERROR_BYTES = 64 * 1024;

const sendPassed = async (
  deps: PipelineDeps,
  held: HeldCall,
  { status, headers, body, native }: Extract<Attempted, { kind: 'passed' }>,
): Promise<void> => {
  const { call } = held;
  call.errorCode = 'upstream_refused';
  await release(deps, held, 'refused', false, status);
  const isJson = (headers['content-type'] ?? '').toLowerCase().startsWith('application/json') && body[0] === 0x7b;
  if (isJson && native !== null) return sendBody(call, status, 'application/json', body);
  const text = body.toString('utf8', 0, FOREIGN_ERROR_BYTES);
  if (isJson && isOpenaiError(parsedJson(body.toString('utf8'))))
    return sendBody(call, status, 'application/json', call.dialect.passedError(status, body, call.requestId));
  // What is no error in OpenAI's shape is made one: clients read nothing else.
  const error = {
    message: saidByForeignError(text) ?? 'The upstream refused the request and did not say why in a form that can be passed on.',
    type: status < 500 ? 'invalid_request_error' : errorTable.upstream_refused.type,
    param: null,
    code: 'upstream_refused',
  };
  sendBody(call, status, 'application/json', call.dialect.passedError(status, Buffer.from(JSON.stringify({ error })), call.requestId));
};

const nothingSaid = (): Countable => ({ texts: [], tokens: 0 });

/** Nobody answered. */
const sendNothing = async (
  deps: PipelineDeps,
  held: HeldCall,
  attempted: Extract<Attempted, { kind: 'refused' | 'interrupted' }>,
): Promise<void> => {
  const { call, hold } = held;
  if (attempted.kind === 'refused') {
    call.errorCode = attempted.refusal.refused;
    await release(deps, held, 'upstream_failed', attempted.billed, errorTable[attempted.refusal.refused].status);
    return sendRefusal(call, attempted.refusal);
  }
  const left = call.interrupted !== 'shutdown';
  if (!left) call.errorCode = 'shutting_down';
  const { accepted } = attempted;
  if (left && accepted !== null) {
    held.ended = true;
    const charged = await charge(deps, call, hold, held.parsed, held.route, accepted, CLIENT_LEFT, { kind: 'absent' }, nothingSaid);
    if (isRefusal(charged)) call.errorCode = charged.refused;
    held.claim?.spent();
    return void call.res.destroy();
  }
  await release(deps, held, left ? 'client_left' : 'shutdown', attempted.billed, left ? CLIENT_LEFT : 503);
  return left ? void call.res.destroy() : sendRefusal(call, refuse('shutting_down'));
};

/** What comes of a call whose reservation is on record, where it is no plain answer. */
const conclude = (deps: PipelineDeps, held: HeldCall, attempted: Exclude<Attempted, { kind: 'plain' }>): Promise<void> => {
  switch (attempted.kind) {
    case 'stream':
      return rulesOf(held.parsed.endpoint).heard === undefined ? sendStream(deps, held, attempted) : sendHeard(deps, held, attempted);
    case 'passed':
      return sendPassed(deps, held, attempted);
    case 'refused':
    case 'interrupted':
      return sendNothing(deps, held, attempted);
  }
};

/** From the reservation on: the upstream is at work while the reservation becomes durable, and nothing goes out before it is. */
const serve = async (deps: PipelineDeps, held: HeldCall, loweredOutput: number | null): Promise<void> => {
  const { call, hold } = held;
  const recording = hold.durable.then((refusal) => {
    if (refusal !== null) call.interrupt('not_recorded');
    return refusal;
  });
  const attempted = await attempt(deps, call, held.parsed, held.route, loweredOutput);
  const refusal = await recording;
  if (refusal !== null) {
    if (attempted.kind === 'stream') attempted.source.abort();
    if (attempted.kind === 'stream' || attempted.kind === 'plain') attempted.served.finish('aborted');
    return notRecorded(held, refusal);
  }
  // What is returned is waited for by one more promise, and what is awaited holds this frame: a stream may last for long, a plain answer does not.
  if (attempted.kind !== 'plain') return conclude(deps, held, attempted);
  await sendPlain(deps, held, attempted);
};

const replay = (call: Call, { status, headers, body }: KeptAnswer): void => {
  call.replayed = true;
  if (call.clientGone) return;
  sendHead(call, status, [...headers, 'content-length', String(body.length), 'x-oblivious-replayed', 'true']);
  call.res.end(body);
};

/** A chain of models that stand in for each other is not followed further. */
const MOST_STAND_INS = 4;

/** Asks the limits that operators set. They may send the call to another model, whose route this is then. */
const passLimits = async (
  deps: PipelineDeps,
  call: Call,
  caller: Caller,
  parsed: ParsedRequest,
  routed: Route,
): Promise<Route | Refusal> => {
  let planned = routed;
  const passed = new Set([routed.model]);
  for (;;) {
    const entered = await deps.gate.enter(call, caller, parsed, planned);
    if (entered.kind !== 'instead') call.limitHeaders = limitHeaders(call.dialect.name, entered.standings, deps.clock.now());
    if (entered.kind === 'refused') return entered.refusal;
    if (entered.kind === 'in') {
      call.pass = entered.pass;
      return planned;
    }
    const { model } = entered;
    if (passed.has(model) || passed.size > MOST_STAND_INS)
      return refuse('rate_limited', 'A limit of this model is reached, and so are those of the models that stand in for it.');
    passed.add(model);
    const instead = route(deps.directory, caller, model, parsed.endpoint);
    if ('refused' in instead) {
      call.detail = `the model ${model} should stand in, but: ${instead.message}`;
      return refuse('rate_limited', `A limit of the model "${routed.model}" is reached.`);
    }
    planned = instead;
    call.model = model;
  }
};

type OnHeld = (held: HeldCall) => void;

/** A call without its client, which is answered as soon as the money is set aside. */
const inBackground = async (
  deps: PipelineDeps,
  client: Call,
  caller: Caller,
  background: Background,
  work: (call: Call, onHeld: OnHeld) => Promise<void> | void,
): Promise<void> => {
  if (client.req.headers['idempotency-key'] !== undefined)
    return sendRefusal(client, refuse('invalid_request', 'An Idempotency-Key is not possible together with background.'));
  const limited = await deps.limiter.enter(caller);
  if (limited !== null) return sendRefusal(client, limited);
  const { call, unheard } = detachedCall(client);
  deps.inFlight.add(call);
  let held: HeldCall | null = null;
  let started = ignore;
  const starting = new Promise<void>((resolve) => {
    started = resolve;
  });
  const working = async (): Promise<void> => {
    try {
      await work(call, (taken) => {
        held = taken;
        started();
      });
    } catch (cause) {
      const kept = held;
      if (kept !== null && !kept.ended) await release(deps, kept, 'upstream_failed', true, 500);
      throw cause;
    }
  };
  let begun: Promise<Refusal | null> | null = null;
  const finished = around(deps, call, working)
    .finally(started)
    .then(async () => {
      await begun;
      await background.ended(call, unheard());
    })
    .catch((cause: unknown) => {
      const { requestId, route: name, startedAtText: startedAt } = call;
      const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      deps.logger.log({ requestId, startedAt, method: 'POST', route: name, status: 500, durationMs: elapsed(deps, call), detail });
    })
    .finally(() => {
      deps.limiter.leave(caller);
      if (call.pass !== null) deps.gate.leave(call.pass, call.usage, call.cost);
      deps.inFlight.delete(call);
    });
  await starting;
  client.limitHeaders = call.limitHeaders;
  if (held === null) {
    await finished;
    const { status, body } = unheard();
    client.errorCode = call.errorCode;
    return sendBody(client, status, 'application/json', body);
  }
  begun = background.begin(call);
  const refusal = await begun;
  if (refusal === null) return background.answer(client);
  call.interrupt('client_left');
  sendRefusal(client, refusal);
};

/** What is known of a call before it is parsed. */
interface Read {
  readonly body: Buffer;
  /** Of which `body` is what is held; `null`: nothing is passed on while it comes. */
  readonly upload: Upload | null;
  readonly inHubForm: Buffer;
  readonly responses: ResponsesWords | undefined;
  readonly parsed: ParsedRequest | undefined;
  readonly pinned: Pinned | undefined;
  readonly task: TaskAsked | null;
}

interface Received {
  readonly body: Buffer;
  readonly upload: Upload | null;
}

/** What has to be known again, or unpacked, is held whole. */
const receiveUpload = async ({ limits }: PipelineDeps, { req, room }: Call): Promise<Received | Refusal | null> => {
  const boundary = boundaryOf(req.headers['content-type']) ?? '';
  if (req.headers['idempotency-key'] === undefined && req.headers['content-encoding'] === undefined) {
    const upload = await readUpload(req, boundary, limits);
    return upload === null || 'refused' in upload ? upload : { body: upload.head, upload };
  }
  const body = await readBody(req, limits.bodyBytes, 'form', { room });
  return body === null || 'refused' in body ? body : { body, upload: heldUpload(body, boundary) };
};

/** A body, or as much of it as has to be known before the rest is passed on. */
const receive = (
  deps: PipelineDeps,
  call: Call,
  { endpoint, hubBody, prepare }: SpendingRoute,
): Promise<Buffer | Received | Refusal | null> => {
  const { req } = call;
  const room = new CallRoom(deps.bodies);
  call.room = room;
  const { bodies } = rulesOf(endpoint);
  if (bodies === 'upload') return receiveUpload(deps, call);
  const isForm = bodies === 'either' ? /^multipart\//i.test(req.headers['content-type'] ?? '') : bodies !== 'json';
  // Other bodies are made into new ones here, or looked into: those are held whole.
  const elides = endpoint === 'chat' && hubBody === null && prepare === undefined;
  return readBody(req, deps.limits.bodyBytes, isForm ? 'form' : 'json', { room, elides });
};

/**
 * The first step of a call that can spend, once its body is here: the form that this has within the relay. From here to the upstream a plain call waits for
 * nothing, which is why these steps are no async functions: each would take a microsecond, and hold a frame until the answer has been sent.
 */
const begin = (
  deps: PipelineDeps,
  call: Call,
  asked: SpendingRoute,
  caller: Caller,
  received: Buffer | Received | Refusal | null,
  onHeld: OnHeld,
): Promise<void> | void => {
  if (received === null) return;
  const isWhole = Buffer.isBuffer(received);
  if (!isWhole && 'refused' in received) return sendRefusal(call, received);
  const body = isWhole ? received : received.body;
  const upload = isWhole ? null : received.upload;
  const { hubBody, prepare } = asked;
  if (prepare !== undefined) return beginPrepared(deps, call, asked, caller, body, upload, prepare, onHeld);
  const inHubForm = hubBody === null ? body : hubBody(body, deps.limits);
  if ('refused' in inHubForm) return sendRefusal(call, inHubForm);
  const read: Read = { body, upload, inHubForm, responses: undefined, parsed: undefined, pinned: undefined, task: null };
  return proceed(deps, call, asked, caller, read, onHeld);
};

const beginPrepared = async (
  deps: PipelineDeps,
  call: Call,
  asked: SpendingRoute,
  caller: Caller,
  body: Buffer,
  upload: Upload | null,
  prepare: Prepare,
  onHeld: OnHeld,
): Promise<void> => {
  const prepared = await prepare(call, caller, body);
  if ('refused' in prepared) return sendRefusal(call, prepared);
  call.dialect = prepared.dialect;
  const { responses, parsed, pinned, task = null } = prepared;
  const read: Read = { body, upload, inHubForm: prepared.body, responses, parsed, pinned, task };
  if (prepared.background === undefined) return proceed(deps, call, asked, caller, read, onHeld);
  return inBackground(deps, call, caller, prepared.background, (detached, held) => proceed(deps, detached, asked, caller, read, held));
};

/** A call by which the same call is known again. */
interface Keyed {
  readonly key: string;
  /** Of what is asked. */
  readonly hash: string;
}

const keyedBy = (
  call: Call,
  endpoint: ParsedRequest['endpoint'],
  key: unknown,
  { body, task }: Read,
  parsed: ParsedRequest,
): Keyed | Refusal => {
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key))
    return refuse('invalid_request', 'An Idempotency-Key has 1 to 255 printable characters without spaces.');
  // The same words in another dialect are answered in another one.
  const form = call.dialect.name === 'openai' && task === null ? endpoint : `${call.dialect.name} ${call.req.path}`;
  const sum = createHash('sha256').update(`${form}\n`);
  const parts = 'form' in parsed ? (parsed.form?.parts ?? null) : 'upload' in parsed ? parsed.upload.parts : null;
  const whole = call.room?.elision?.digest ?? body;
  for (const piece of parts === null ? [whole] : wordsOf(parts, body)) sum.update(piece);
  return { key, hash: sum.digest('hex') };
};

/** A call from its route to its hold. */
interface Asking {
  readonly caller: Caller;
  readonly parsed: ParsedRequest;
  readonly pinned: Pinned | undefined;
  readonly task: TaskAsked | null;
  readonly keyed: Keyed | null;
  readonly onHeld: OnHeld;
}

/** The steps of a call that can spend, from its body up to the one from which money is set aside. */
export const proceed = (
  deps: PipelineDeps,
  call: Call,
  { endpoint, parseNative }: SpendingRoute,
  caller: Caller,
  read: Read,
  onHeld: OnHeld,
): Promise<void> | void => {
  const { upload, inHubForm, responses, parsed: ready, pinned, task } = read;
  const rules = rulesOf(endpoint);
  const boundary = boundaryOf(call.req.headers['content-type']) ?? '';
  const inForm =
    ready !== undefined
      ? ready
      : upload !== null && rules.parseUpload !== undefined
        ? rules.parseUpload(upload, boundary)
        : parseNative === undefined
          ? parse(inHubForm, endpoint, deps.limits, boundary)
          : parseNative(inHubForm, deps.limits);
  if ('refused' in inForm) return sendRefusal(call, inForm);
  const parsed: ParsedRequest = responses !== undefined && inForm.endpoint === 'chat' ? { ...inForm, responses } : inForm;
  call.model = parsed.request.model;
  call.streamed = rules.streamed(parsed);

  const key = call.req.headers['idempotency-key'];
  const keyed = key === undefined ? null : keyedBy(call, endpoint, key, read, parsed);
  if (keyed !== null) {
    if ('refused' in keyed) return sendRefusal(call, keyed);
    const known = deps.kept.known(caller.token.tokenId, keyed.key, keyed.hash);
    if (known?.kind === 'refused') return sendRefusal(call, known.refusal);
    if (known?.kind === 'kept') return replay(call, known.answer);
  }

  const routed = route(deps.directory, caller, parsed.request.model, endpoint);
  if ('refused' in routed) return sendRefusal(call, routed);
  const asking: Asking = { caller, parsed, pinned, task, keyed, onHeld };
  if (deps.gate.isOpen) return setAside(deps, call, asking, routed);
  return passLimits(deps, call, caller, parsed, routed).then((passed) =>
    'refused' in passed ? sendRefusal(call, passed) : setAside(deps, call, asking, passed),
  );
};

const setAside = (deps: PipelineDeps, call: Call, asking: Asking, passed: Route): Promise<void> | void => {
  const { caller, parsed, pinned } = asking;
  const planned = pinned === undefined ? passed : pinnedTo(passed, pinned);
  const reserved = reserve(deps.spending, caller, call.requestId, parsed, planned);
  return reserved instanceof Promise
    ? reserved.then((answer) => spend(deps, call, asking, planned, answer))
    : spend(deps, call, asking, planned, reserved);
};

const spend = (deps: PipelineDeps, call: Call, asking: Asking, planned: Route, reserved: Reserved | Refusal): Promise<void> | void => {
  if ('refused' in reserved) return sendRefusal(call, reserved);
  const { parsed, task, keyed, onHeld } = asking;
  const held: HeldCall = { call, parsed, route: planned, hold: reserved.hold, claim: null, task, ended: false };
  onHeld(held);
  return keyed === null ? serve(deps, held, reserved.loweredOutput) : serveOnce(deps, held, asking, keyed, reserved.loweredOutput);
};

const serveOnce = async (
  deps: PipelineDeps,
  held: HeldCall,
  { caller, onHeld }: Asking,
  { key, hash }: Keyed,
  loweredOutput: number | null,
): Promise<void> => {
  const { call } = held;
  const claim = await deps.kept.claim(caller.token.tokenId, key, hash, call.requestId);
  if ('refused' in claim) {
    call.errorCode = claim.refused;
    await release(deps, held, 'refused', false, errorTable[claim.refused].status);
    return sendRefusal(call, claim);
  }
  const claimed: HeldCall = { ...held, claim };
  onHeld(claimed);
  return serve(deps, claimed, loweredOutput);
};

const outcomeOf = (call: Call): CallOutcome => {
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

const ignore = (): void => undefined;

/** Whose call it is, and whether he may ask for this now. */
const admit = (deps: PipelineDeps, call: Call, asked: SpendingRoute): Promise<void> | void => {
  if (!deps.inFlight.admitting)
    return sendRefusal(call, refuse('shutting_down', undefined, { retryAfterSeconds: 1 }), ['connection', 'close']);
  const caller = authenticate(deps, call, rulesOf(asked.endpoint).door, 'spend');
  if (!(caller instanceof Promise)) return enter(deps, call, asked, caller);
  return caller.then((found) =>
    'refused' in found || deps.inFlight.admitting
      ? enter(deps, call, asked, found)
      : sendRefusal(call, refuse('shutting_down'), ['connection', 'close']),
  );
};

const enter = (deps: PipelineDeps, call: Call, asked: SpendingRoute, caller: Caller | Refusal): Promise<void> | void => {
  if ('refused' in caller) return sendRefusal(call, caller);
  const barred = asked.bars?.(caller) ?? null;
  if (barred !== null) return sendRefusal(call, barred);
  const entering = deps.limiter.enter(caller);
  if (entering !== null && !(entering instanceof Promise)) return sendRefusal(call, entering);
  deps.inFlight.add(call);
  const { res } = call;
  res.on('close', () => {
    if (!res.writableFinished) call.interrupt('client_left');
  });
  if (res.closed) call.interrupt('client_left');
  // A write that meets a connection's end is no reason to end the process: `close` says all there is to know.
  res.on('error', ignore);
  return work(deps, call, asked, caller, entering);
};

/** Everything that has to be given back in the end. */
const work = async (
  deps: PipelineDeps,
  call: Call,
  asked: SpendingRoute,
  caller: Caller,
  entering: Promise<Refusal | null> | null,
): Promise<void> => {
  let held: HeldCall | null = null;
  let limited: Refusal | null = null;
  try {
    if (entering !== null) {
      limited = await entering;
      if (limited !== null) return sendRefusal(call, limited);
    }
    const received = await receive(deps, call, asked);
    await begin(deps, call, asked, caller, received, (taken) => {
      held = taken;
    });
  } catch (cause) {
    // A bug must not keep money set aside.
    const kept = held as HeldCall | null;
    if (kept !== null && !kept.ended) await release(deps, kept, 'upstream_failed', true, 500);
    throw cause;
  } finally {
    if (limited === null) deps.limiter.leave(caller);
    if (call.pass !== null) deps.gate.leave(call.pass, call.usage, call.cost);
    deps.inFlight.delete(call);
    call.room?.release();
  }
};

/** Every address that can spend: authenticate, limit, parse, route, reserve, attempt, convert, stream, charge. */
export const relayCall = (deps: PipelineDeps, asked: SpendingRoute, req: Request, res: Response): Promise<void> => {
  const call = newCall(deps, req, res, asked.name, asked.dialect);
  const span = startCallSpan(deps.tracer, call);
  const answered = around(deps, call, () => admit(deps, call, asked));
  return span === null ? answered : answered.then(() => span.end(outcomeOf(call), call.res.headersSent ? call.res.statusCode : null));
};
