import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Router, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { Embedder } from '../../commands/ports/embedder.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import type { Endpoint as Door } from '../../schemas/events/token.ts';
import type { z } from 'zod';
import { sendBody, sendHead, sendJson, sendRefusal } from './answer.ts';
import { authenticate, type KeyUse } from './authenticate.ts';
import { callerOf } from './caller-of.ts';
import { embedTexts } from './embed-texts.ts';
import { deploymentAddresses, deploymentRoute, withoutOpenaiPrefix } from './azure-addresses.ts';
import { converseAddresses, converseRoute } from './bedrock-addresses.ts';
import type { Call, Caller } from './call.ts';
import type { AnswerDialect } from './dialects/answer-dialect.ts';
import { counterFor, countTokens } from './endpoints/count-tokens.ts';
import type { PromptToCount } from './prompt-to-count.ts';
import type { SpendingRoute } from './spending-route.ts';
import { geminiAddresses, GEMINI_METHODS, MESSAGES, spendingAddresses } from './spending-routes.ts';
import { anthropicAnswers } from './dialects/anthropic-answers.ts';
import { promptToCount } from './dialects/anthropic-requests.ts';
import { geminiAnswers } from './dialects/gemini-answers.ts';
import { promptToCountFor } from './dialects/gemini-requests.ts';
import { responsesPromptToCount } from './dialects/responses-requests.ts';
import { BackgroundCalls } from './responses/background-calls.ts';
import { EventBuffer, EVENT_BUFFER_LIMITS } from './responses/event-buffer.ts';
import { addArchiveRoutes } from './responses/archive-routes.ts';
import { converseAnswers } from './dialects/converse-answers.ts';
import { mistralAnswers } from './dialects/mistral-answers.ts';
import { ollamaAnswers } from './dialects/ollama-answers.ts';
import { rerankAnswers } from './dialects/rerank-answers.ts';
import { klingAnswers, midjourneyAnswers, sunoAnswers } from './dialects/task-answers.ts';
import { addBatchRoutes, BATCHES } from './files/batch-routes.ts';
import { addFileRoutes } from './files/file-routes.ts';
import { addMessageBatchRoutes, MESSAGE_BATCHES } from './files/message-batch-routes.ts';
import { addVectorRoutes, VECTOR_SEARCH } from './vector-stores/vector-routes.ts';
import { openaiAnswers } from './dialects/openai-answers.ts';
import { BodyRoom } from './bodies/body-room.ts';
import { ChannelSecrets } from './channel-secrets.ts';
import { KeptAnswers } from './kept-answers.ts';
import { keyAnswer, subscriptionAnswer, usageAnswer } from './key-account.ts';
import { Limiter } from './limit.ts';
import { LimitGate } from './limits/limit-gate.ts';
import { ProcessCounters } from './limits/process-counters.ts';
import { inAnthropicForm, inGeminiForm, inOllamaForm, listedModel, listModels } from './models.ts';
import { around, newCall, relayCall, type PipelineDeps } from './relay-call.ts';
import { createPassThrough, PASS_THROUGH } from './pass-through/pass-through.ts';
import { openSession, REALTIME } from './realtime/open-session.ts';
import { readBody } from './read-body.ts';
import type { RelayDeps } from './relay-deps.ts';
import { addTaskRoutes } from './tasks/task-routes.ts';
import { Watch } from './watch.ts';

type Answer = (call: Call, caller: Caller) => Promise<void> | void;

const COUNT_TOKENS = '/v1/messages/count_tokens';
const COUNT_INPUT = '/v1/responses/input_tokens';
const GEMINI_COUNT = '/v1beta/models/{model}:countTokens';
/** Of counts that are ours and not the upstream's. */
const ESTIMATED = ['x-oblivious-estimated', 'true'];
const GEMINI_MODELS = '/v1beta/models';
const GEMINI_MODEL = '/v1beta/models/{model}';
const MODELS = '/v1/models';
const MODEL = '/v1/models/{id}';
const OLLAMA_MODELS = '/ollama/api/tags';
const KEY = '/v1/key';
const SUBSCRIPTION = '/v1/dashboard/billing/subscription';
const USAGE = '/v1/dashboard/billing/usage';

/** The two billing addresses exist without `/v1` too: half of the clients that ask for them were written so. */
const withoutVersion = (path: string): string => path.slice('/v1'.length);

/** What stands before addresses that are some provider’s own. */
const OTHER_ROOTS = ['/openai', '/mistral', '/ollama', '/bedrock'] as const;

const PREFLIGHT = [
  'access-control-allow-methods',
  'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers',
  'authorization, x-api-key, x-goog-api-key, x-goog-api-client, anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access, content-type, idempotency-key, openai-organization, openai-project, x-stainless-arch, x-stainless-lang, x-stainless-os, x-stainless-package-version, x-stainless-retry-count, x-stainless-runtime, x-stainless-runtime-version, x-stainless-timeout, x-stainless-helper-method',
  'access-control-max-age',
  '86400',
] as const;

const BY_PREFIX: readonly (readonly [prefix: string, dialect: AnswerDialect])[] = [
  ['/v1beta', geminiAnswers],
  ['/v2/', rerankAnswers],
  ['/ollama/', ollamaAnswers],
  ['/bedrock/', converseAnswers],
  ['/mistral/', mistralAnswers],
  ['/kling/', klingAnswers],
  ['/suno/', sunoAnswers],
  ['/mj/', midjourneyAnswers],
];

/** Addresses that both formats have are asked in that of the header which every client of Anthropic's sends. */
const dialectOf = (req: Request): AnswerDialect => {
  for (const [prefix, dialect] of BY_PREFIX) if (req.path.startsWith(prefix)) return dialect;
  if (/^\/[\w-]+\/mj\//.test(req.path)) return midjourneyAnswers;
  return req.headers['anthropic-version'] !== undefined || req.path.startsWith(MESSAGES) ? anthropicAnswers : openaiAnswers;
};

/** `models/{model}:{method}`: a model's name may hold colons itself, and slashes, sent as they are or encoded. */
const modelAndMethod = (rest: string): { readonly model: string; readonly method: string } => {
  const at = rest.lastIndexOf(':');
  return at < 0 ? { model: rest, method: '' } : { model: rest.slice(0, at), method: rest.slice(at + 1) };
};

/** What a pattern of several segments stood for. */
const segmentsOf = (parts: unknown): string => (Array.isArray(parts) ? parts.join('/') : String(parts));
const restOf = (req: Request): string => segmentsOf(req.params['rest']);

/** Express calls handlers with callbacks and waits for nothing; what is thrown in here is answered in here. */
const handled =
  (answer: (req: Request, res: Response) => Promise<void>) =>
  (req: Request, res: Response): void => {
    void answer(req, res);
  };

/** A handler that says what it answers: its router's own table, as it stands. */
export interface RelayRouter extends RequestHandler {
  readonly routes: readonly { readonly path: string; readonly methods: readonly string[] }[];
  /** Those of them that can spend, by their names in metrics and logs. */
  readonly spendingRoutes: readonly string[];
  /** Takes a request for another protocol, where it is one of ours: a realtime session. */
  readonly takeUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  /** Has texts embedded at the cost of whoever owns a key. */
  readonly embedder: Embedder;
  /** The answers that this process makes in the background. */
  readonly responsesMadeHere: Pick<BackgroundCalls, 'cancel' | 'forget'>;
}

/** The LLM API: everything under `/v1`, and two billing addresses beside it. To be mounted at the root, before anything that reads bodies. */
export const createRelayRouter = (deps: RelayDeps): RelayRouter => {
  const bodies = new BodyRoom(deps.limits.bodyRoom, deps.bodyFiles);
  const pipeline: PipelineDeps = {
    ...deps,
    watch: new Watch(deps.stopwatch, deps.limits.watchMs),
    channelSecrets: new ChannelSecrets(deps.secrets),
    retries: { saved: deps.limits.retryBudget.mostSaved },
    limiter: new Limiter(deps.stopwatch, deps.limits, deps.sharedLimits),
    gate: new LimitGate(deps.limitPolicies, new ProcessCounters(deps.clock), deps.limitCounters),
    bodies,
    kept: new KeptAnswers(deps.claims, deps.stopwatch, deps.limits.kept),
  };
  const { directory, standings } = deps;
  const background = new BackgroundCalls(new EventBuffer(deps.sharedEvents, EVENT_BUFFER_LIMITS, () => deps.stopwatch.elapsed()));
  const router = Router();

  /** An answer that costs nothing: whoever has a key may look. */
  const look = (routeName: string, door: z.infer<typeof Door> | null, answer: Answer, use: KeyUse = 'look') =>
    handled(async (req, res) => {
      const call = newCall(pipeline, req, res, routeName, dialectOf(req));
      await around(pipeline, call, async () => {
        const caller = await authenticate(deps, call, door, use);
        if (isRefusal(caller)) return sendRefusal(call, caller);
        const limited = await pipeline.limiter.enter(caller);
        if (limited !== null) return sendRefusal(call, limited);
        try {
          await answer(call, caller);
        } finally {
          pipeline.limiter.leave(caller);
        }
      });
    });

  /** An answer without a key. */
  const plainly = (routeName: string, answer: (call: Call) => void) =>
    handled(async (req, res) => {
      const call = newCall(pipeline, req, res, routeName, dialectOf(req));
      await around(pipeline, call, () => answer(call));
    });

  const spend = (asked: SpendingRoute) => handled((req, res) => relayCall(pipeline, asked, req, res));

  const respond = (call: Call, answer: object | Refusal): void =>
    isRefusal(answer) ? sendRefusal(call, answer) : sendJson(call, 200, answer);

  /** Nearly every request is one of these, to the letter; finding that out by a router's patterns costs as much as the call's own steps. */
  const spending = spendingAddresses({ ...deps, background });
  const byAddress = new Map<string, (req: Request, res: Response) => void>(spending.map((asked) => [asked.name, spend(asked)]));
  for (const [path, answer] of byAddress) router.post(path, answer);
  const spendingRoutes = [
    ...byAddress.keys(),
    ...geminiAddresses,
    ...deploymentAddresses,
    ...converseAddresses,
    PASS_THROUGH,
    REALTIME,
    BATCHES,
    MESSAGE_BATCHES,
    VECTOR_SEARCH,
  ];

  const nothingHere = (routeName: string) =>
    plainly(routeName, (call) =>
      sendRefusal(
        call,
        refuse(
          'not_found',
          `There is nothing at ${call.req.method} ${call.req.path.slice(0, 200)}. The relay serves ${spendingRoutes.join(', ')}, ${MODELS} and ${KEY}.`,
        ),
      ),
    );

  const counting = (routeName: string, read: (body: Buffer) => PromptToCount | Refusal, answer: (tokens: number) => object) =>
    look(routeName, 'chat', async (call) => {
      const body = await readBody(call.req, deps.limits.bodyBytes);
      if (body === null) return;
      const prompt = isRefusal(body) ? body : read(body);
      if (isRefusal(prompt)) return sendRefusal(call, prompt);
      const counted = await countTokens(counterFor(deps.tokenCounter, prompt.model), prompt.prompt);
      sendBody(call, 200, 'application/json', JSON.stringify(answer(counted)), ESTIMATED);
    });

  /** Gemini's addresses name the model and the method in one segment, which no pattern of the router's can cut. */
  router.post('/v1beta/models/*rest', (req: Request, res: Response): void => {
    const { model, method } = modelAndMethod(restOf(req));
    const spending = GEMINI_METHODS.get(method);
    if (spending !== undefined) spend(spending(model, req))(req, res);
    else if (method === 'countTokens')
      counting(
        GEMINI_COUNT,
        (body) => promptToCountFor(model, body, deps.limits),
        (totalTokens) => ({ totalTokens }),
      )(req, res);
    else nothingHere('/v1beta')(req, res);
  });

  /** A deployment's name, which is the model's, may hold slashes too. */
  router.post('/openai/deployments/*rest', (req: Request, res: Response): void => {
    const asked = deploymentRoute(restOf(req));
    (asked === null ? nothingHere('/openai') : spend(asked))(req, res);
  });

  router.post('/bedrock/model/*rest', (req: Request, res: Response): void => {
    const asked = converseRoute(restOf(req));
    (asked === null ? nothingHere('/bedrock') : spend(asked))(req, res);
  });
  router.get(
    OLLAMA_MODELS,
    look(OLLAMA_MODELS, 'models', (call, caller) => sendJson(call, 200, { models: listModels(directory, caller).map(inOllamaForm) })),
  );

  // Some clients put a slash too many between a base URL and a path.
  router.use((req: Request, _res: Response, next: NextFunction) => {
    if (!/^\/{2,}|^\/v1\/{2,}/.test(req.url)) return next();
    const query = req.url.indexOf('?');
    const path = query < 0 ? req.url : req.url.slice(0, query);
    req.url = path.replace(/\/{2,}/g, '/') + req.url.slice(path.length);
    return router(req, _res, next);
  });

  router.get(
    MODELS,
    look(MODELS, 'models', (call, caller) => {
      const models = listModels(directory, caller);
      if (call.dialect.name === 'openai') return sendJson(call, 200, { object: 'list', data: models });
      const data = models.map(inAnthropicForm);
      sendJson(call, 200, { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
    }),
  );
  router.post(
    COUNT_TOKENS,
    counting(
      COUNT_TOKENS,
      (body) => promptToCount(body, deps.limits),
      (tokens) => ({ input_tokens: tokens }),
    ),
  );
  router.post(
    COUNT_INPUT,
    counting(
      COUNT_INPUT,
      (body) => responsesPromptToCount(body, deps.limits),
      (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
    ),
  );
  router.get(
    GEMINI_MODELS,
    look(GEMINI_MODELS, 'models', (call, caller) => sendJson(call, 200, { models: listModels(directory, caller).map(inGeminiForm) })),
  );
  router.get(
    '/v1beta/models/*rest',
    look(GEMINI_MODEL, 'models', (call, caller) => {
      const model = restOf(call.req);
      const listed = listedModel(directory, caller, model);
      if (listed !== null) return sendJson(call, 200, inGeminiForm(listed));
      return sendRefusal(
        call,
        refuse('model_not_found', `The model "${model.slice(0, 200)}" does not exist here, or this key may not use it.`),
      );
    }),
  );
  // A model's name may hold slashes, sent as they are or encoded.
  router.get(
    '/v1/models/*id',
    look(MODEL, 'models', (call, caller) => {
      const model = segmentsOf(call.req.params['id']);
      const listed = listedModel(directory, caller, model);
      if (listed !== null) return sendJson(call, 200, call.dialect.name === 'openai' ? listed : inAnthropicForm(listed));
      return sendRefusal(
        call,
        refuse('model_not_found', `The model "${model.slice(0, 200)}" does not exist here, or this key may not use it.`, {
          param: 'model',
        }),
      );
    }),
  );
  router.get(
    REALTIME,
    plainly(REALTIME, (call) =>
      sendRefusal(call, refuse('invalid_request', 'This address opens WebSockets: ask for one with the headers of its handshake.')),
    ),
  );
  router.get(
    KEY,
    look(KEY, null, async (call, caller) => respond(call, await keyAnswer(standings, caller))),
  );
  router.get(
    [SUBSCRIPTION, withoutVersion(SUBSCRIPTION)],
    look(SUBSCRIPTION, 'billing', async (call, caller) => {
      const standing = await standings.of(caller.user.userId, caller.token.tokenId);
      respond(call, isRefusal(standing) ? standing : subscriptionAnswer(standing, caller));
    }),
  );
  router.get(
    [USAGE, withoutVersion(USAGE)],
    look(USAGE, 'billing', async (call, caller) => {
      const standing = await standings.of(caller.user.userId, caller.token.tokenId);
      respond(call, isRefusal(standing) ? standing : usageAnswer(standing));
    }),
  );

  router.options(
    ['/v1/*rest', '/v1beta/*rest', '/v2/*rest', '/providers/*rest', ...OTHER_ROOTS.map((root) => `${root}/*rest`)],
    plainly('/v1', (call) => {
      sendHead(call, 204, PREFLIGHT);
      call.res.end();
    }),
  );
  const notThisMethod = (allowed: string) => (routeName: string) =>
    plainly(routeName, (call) =>
      sendRefusal(call, refuse('method_not_allowed', `${call.req.method} is not possible here; use ${allowed}.`), [
        'allow',
        `${allowed.replace(' or', ',')}, OPTIONS`,
      ]),
    );
  addFileRoutes(router, { ...pipeline, look, notThisMethod });
  addBatchRoutes(router, { ...pipeline, look, notThisMethod });
  addMessageBatchRoutes(router, { ...pipeline, look, notThisMethod });
  addVectorRoutes(router, { ...pipeline, look, notThisMethod });
  addTaskRoutes({
    router,
    tasks: deps.tasks,
    limits: deps.limits,
    look: (routeName, answer) => look(routeName, 'tasks', answer),
    notThisMethod,
  });
  for (const path of [...byAddress.keys(), COUNT_INPUT, COUNT_TOKENS]) router.all(path, notThisMethod('POST')(path));
  for (const path of [MODELS, KEY, SUBSCRIPTION, USAGE, REALTIME]) router.all(path, notThisMethod('GET')(path));
  router.all('/v1/models/*id', notThisMethod('GET')(MODEL));

  router.all('/providers/*rest', createPassThrough(pipeline, spending));

  addArchiveRoutes(router, { ...deps, background, look: (routeName, answer) => look(routeName, 'chat', answer), notThisMethod });

  for (const version of ['/v1', '/v1beta', ...OTHER_ROOTS]) router.all([version, `${version}/*rest`], nothingHere(version));

  /** Express's own refusals, of an address that is not valid percent-encoding for one. */
  router.use((_error: unknown, req: Request, res: Response, next: NextFunction) => {
    if (!/^\/(?:v1|providers\/)/.test(req.path)) return next(_error);
    plainly('/v1', (call) => sendRefusal(call, refuse('invalid_request', 'The address of the request is not valid.')))(req, res);
  });

  const handler: RequestHandler = (req, res, next) => {
    const answer = req.method === 'POST' ? byAddress.get(req.url) : undefined;
    if (answer !== undefined) return answer(req, res);
    const url = withoutOpenaiPrefix(req.url);
    if (url === null) return void router(req, res, next);
    req.url = url;
    handler(req, res, next);
  };
  const routes = router.stack.flatMap(({ route }) =>
    route === undefined ? [] : [{ path: String(route.path), methods: route.stack.map(({ method }) => method) }],
  );
  const takeUpgrade: RelayRouter['takeUpgrade'] = (req, socket, head) => {
    const [path = ''] = (req.url ?? '').split('?');
    if (path.replace(/\/{2,}/g, '/') !== REALTIME || req.headers.upgrade?.toLowerCase() !== 'websocket') return false;
    void openSession(pipeline, req, socket, head);
    return true;
  };
  const embedder: Embedder = {
    embed: async ({ tokenId, ...question }) => {
      const caller = await callerOf(deps, tokenId);
      return isRefusal(caller) ? caller : embedTexts(pipeline, caller, question);
    },
  };
  return Object.assign(handler, { routes, spendingRoutes, takeUpgrade, embedder, responsesMadeHere: background });
};
