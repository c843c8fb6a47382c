import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Router, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import type { Embedder } from '../../commands/ports/embedder.ts';
import { isRefusal, refuse, type Refusal } from '../../schemas/errors.ts';
import { sendBody, sendHead, sendRefusal } from './answer.ts';
import { dialectOf } from './address-dialect.ts';
import { authenticate } from './authenticate.ts';
import { callerOf } from './caller-of.ts';
import { embedTexts } from './embed-texts.ts';
import { deploymentAddresses, deploymentRoute, withoutOpenaiPrefix } from './azure-addresses.ts';
import { converseAddresses, converseRoute } from './bedrock-addresses.ts';
import type { Call } from './call.ts';
import { counterFor, countTokens } from './endpoints/count-tokens.ts';
import type { PromptToCount } from './prompt-to-count.ts';
import type { SpendingRoute } from './spending-route.ts';
import { geminiAddresses, GEMINI_METHODS, spendingAddresses } from './spending-routes.ts';
import { promptToCount } from './dialects/anthropic-requests.ts';
import { promptToCountFor } from './dialects/gemini-requests.ts';
import { responsesPromptToCount } from './dialects/responses-requests.ts';
import { BackgroundCalls } from './responses/background-calls.ts';
import { EventBuffer, EVENT_BUFFER_LIMITS } from './responses/event-buffer.ts';
import { addArchiveRoutes } from './responses/archive-routes.ts';
import { addBatchRoutes, BATCHES } from './files/batch-routes.ts';
import { addFileRoutes } from './files/file-routes.ts';
import { addMessageBatchRoutes, MESSAGE_BATCHES } from './files/message-batch-routes.ts';
import { addVectorRoutes, VECTOR_SEARCH } from './vector-stores/vector-routes.ts';
import { BodyRoom, CallRoom } from './bodies/body-room.ts';
import { ChannelSecrets } from './channel-secrets.ts';
import { KeptAnswers } from './kept-answers.ts';
import { addKeyAccountRoutes, KEY, SUBSCRIPTION, USAGE } from './key-account-routes.ts';
import { Limiter } from './limit.ts';
import { LimitGate } from './limits/limit-gate.ts';
import { ProcessCounters } from './limits/process-counters.ts';
import type { LookRoute } from './look-route.ts';
import { addModelRoutes, MODEL, MODELS, ONE_MODEL } from './model-routes.ts';
import { around, newCall } from './around-call.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { relayCall } from './relay-call.ts';
import { createPassThrough, PASS_THROUGH } from './pass-through/pass-through.ts';
import { openSession, REALTIME } from './realtime/open-session.ts';
import { readBody } from './read-body.ts';
import type { RelayDeps } from './relay-deps.ts';
import { restOf } from './segments.ts';
import { addTaskRoutes } from './tasks/task-routes.ts';
import { Watch } from './watch.ts';

const COUNT_TOKENS = '/v1/messages/count_tokens';
const COUNT_INPUT = '/v1/responses/input_tokens';
const GEMINI_COUNT = '/v1beta/models/{model}:countTokens';
/** Of counts that are ours and not the upstream's. */
const ESTIMATED = ['x-oblivious-estimated', 'true'];

/** What stands before addresses that are some provider’s own. */
const OTHER_ROOTS = ['/openai', '/mistral', '/ollama', '/bedrock'] as const;

/** Of pages that do not say which headers they send. */
const USUAL_HEADERS = 'authorization, x-api-key, x-goog-api-key, content-type, idempotency-key';

/**
 * What a page in a browser may send. A key is in a header and never in a cookie, so that no header tells more than its page knows; which ones clients
 * send changes with each of their versions.
 */
const preflight = ({ headers }: Request): readonly string[] => {
  const asked = headers['access-control-request-headers'];
  return [
    ...['access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS'],
    ...['access-control-allow-headers', asked !== undefined && /^[\w\-, ]{1,4096}$/.test(asked) ? asked : USUAL_HEADERS],
    ...['access-control-max-age', '86400'],
  ];
};

/** `models/{model}:{method}`: a model's name may hold colons itself, and slashes, sent as they are or encoded. */
const modelAndMethod = (rest: string): { readonly model: string; readonly method: string } => {
  const at = rest.lastIndexOf(':');
  return at < 0 ? { model: rest, method: '' } : { model: rest.slice(0, at), method: rest.slice(at + 1) };
};

const NO_PARAMETERS: Request['params'] = Object.freeze({});

/** Where Google's clients ask, as they write it; what else means the same is for the router's patterns. */
const OF_GEMINI = /^\/v1beta\/models\/([\w.:-]+(?:\/[\w.:-]+)*)(?:\?|$)/;

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
  /** Takes what is asked at an address that can spend, to the letter: nearly every request. */
  readonly takeCall: (req: Request, res: Response) => boolean;
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

  const look: LookRoute = (routeName, door, answer, use = 'look') =>
    handled(async (req, res) => {
      const call = newCall(pipeline, req, res, routeName, dialectOf(req));
      await around(pipeline, call, async () => {
        const caller = await authenticate(deps, call, door, use);
        if (isRefusal(caller)) return sendRefusal(call, caller);
        const limited = await pipeline.limiter.enter(caller);
        if (limited !== null) return sendRefusal(call, limited);
        call.room = new CallRoom(bodies);
        try {
          await answer(call, caller);
        } finally {
          pipeline.limiter.leave(caller);
          call.room.release();
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
      const body = await readBody(call.req, deps.limits.bodyBytes, 'json', call);
      if (body === null) return;
      const prompt = isRefusal(body) ? body : read(body);
      if (isRefusal(prompt)) return sendRefusal(call, prompt);
      const counted = await countTokens(counterFor(deps.tokenCounter, prompt.model), prompt.prompt);
      sendBody(call, 200, 'application/json', JSON.stringify(answer(counted)), ESTIMATED);
    });

  /** Gemini's addresses name the model and the method in one segment, which no pattern of the router's can cut. */
  const askGemini = (rest: string, req: Request, res: Response): void => {
    const { model, method } = modelAndMethod(rest);
    const spending = GEMINI_METHODS.get(method);
    if (spending !== undefined) spend(spending(model, req))(req, res);
    else if (method === 'countTokens')
      counting(
        GEMINI_COUNT,
        (body) => promptToCountFor(model, body, deps.limits),
        (totalTokens) => ({ totalTokens }),
      )(req, res);
    else nothingHere('/v1beta')(req, res);
  };
  router.post('/v1beta/models/*rest', (req: Request, res: Response): void => askGemini(restOf(req), req, res));

  /** A deployment's name, which is the model's, may hold slashes too. */
  router.post('/openai/deployments/*rest', (req: Request, res: Response): void => {
    const asked = deploymentRoute(restOf(req));
    (asked === null ? nothingHere('/openai') : spend(asked))(req, res);
  });

  router.post('/bedrock/model/*rest', (req: Request, res: Response): void => {
    const asked = converseRoute(restOf(req));
    (asked === null ? nothingHere('/bedrock') : spend(asked))(req, res);
  });

  // Some clients put a slash too many between a base URL and a path.
  router.use((req: Request, _res: Response, next: NextFunction) => {
    if (!/^\/{2,}|^\/v1\/{2,}/.test(req.url)) return next();
    const query = req.url.indexOf('?');
    const path = query < 0 ? req.url : req.url.slice(0, query);
    req.url = path.replace(/\/{2,}/g, '/') + req.url.slice(path.length);
    return router(req, _res, next);
  });

  addModelRoutes(router, directory, look);
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
    REALTIME,
    plainly(REALTIME, (call) =>
      sendRefusal(call, refuse('invalid_request', 'This address opens WebSockets: ask for one with the headers of its handshake.')),
    ),
  );

  addKeyAccountRoutes(router, standings, look);

  router.options(
    ['/v1/*rest', '/v1beta/*rest', '/v2/*rest', '/providers/*rest', ...OTHER_ROOTS.map((root) => `${root}/*rest`)],
    plainly('/v1', (call) => {
      sendHead(call, 204, preflight(call.req));
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
  router.all(ONE_MODEL, notThisMethod('GET')(MODEL));

  router.all('/providers/*rest', createPassThrough(pipeline, spending));

  addArchiveRoutes(router, { ...deps, background, look: (routeName, answer) => look(routeName, 'chat', answer), notThisMethod });

  for (const version of ['/v1', '/v1beta', ...OTHER_ROOTS]) router.all([version, `${version}/*rest`], nothingHere(version));

  /** Express's own refusals, of an address that is not valid percent-encoding for one. */
  router.use((_error: unknown, req: Request, res: Response, next: NextFunction) => {
    if (!/^\/(?:v1|providers\/)/.test(req.path)) return next(_error);
    plainly('/v1', (call) => sendRefusal(call, refuse('invalid_request', 'The address of the request is not valid.')))(req, res);
  });

  const takeCall: RelayRouter['takeCall'] = (req, res) => {
    const answer = req.method === 'POST' ? byAddress.get(req.url) : undefined;
    if (answer === undefined) return false;
    // As a router leaves it with a request whose address has no parameters.
    req.params = NO_PARAMETERS;
    answer(req, res);
    return true;
  };
  const handler: RequestHandler = (req, res, next) => {
    if (req.method === 'POST') {
      if (takeCall(req, res)) return;
      const rest = OF_GEMINI.exec(req.url)?.[1];
      if (rest !== undefined) return askGemini(rest, req, res);
    }
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
  return Object.assign(handler, { routes, spendingRoutes, takeCall, takeUpgrade, embedder, responsesMadeHere: background });
};
