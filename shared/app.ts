import type { Hono } from 'hono';
import { HonoBase } from 'hono/hono-base';
import { createBudget } from './budget.ts';
import type { Config } from './config.ts';
import { InferenceError } from './errors.ts';
import { type BodyRoom, createBodyRoom } from './http/body-room.ts';
import type { Answer, AppEnvironment, Bindings, RequestContext } from './http/context.ts';
import { FirstMatchRouter } from './http/first-match-router.ts';
import { errorResponse } from './http/respond.ts';
import { pathOfUrl, routePathOf } from './http/route-path.ts';
import { createInference, type Inference } from './inference/inference.ts';
import type { HeldBackVersion } from './inference/rollout.ts';
import type { Tasks } from './inference/tasks.ts';
import { loadOnce, memoizeBy } from './memo.ts';
import type { ModelRepository } from './models/model-repository.ts';
import { type Logger, roundMs } from './monitoring/logger.ts';
import type { Monitoring } from './monitoring/monitoring.ts';
import { type Answered, recordOf } from './monitoring/request-record.ts';
import { listDocs } from './openapi/docs.ts';
import type { AppOwnCode } from './own-requests.ts';
import type { Pages } from './pages/pages.ts';
import { answerError } from './protocols/answer.ts';
import { answerOtherMethod, METHODS, mountProtocols } from './protocols/mount.ts';
import type { ListedProtocol, ProtocolOptions } from './protocols/operation.ts';
import { createProtocols } from './protocols/protocols.ts';
import type { RegistryParts } from './registry/registry.ts';
import type { OpenSession } from './runtime/open-model-file.ts';
import type { ProcessMemory } from './runtime/process-memory.ts';
import type { Trials } from './runtime/trial.ts';
import type { ModelUsage } from './usage.ts';
import { VERSION } from './version.ts';

export interface AppDependencies {
  readonly config: Config;
  /** The own code of a project, if it has some. */
  readonly own?: AppOwnCode | undefined;
  readonly repository: ModelRepository;
  readonly tasks: Tasks;
  /** The runtime that creates the sessions of models. */
  readonly openSession: OpenSession;
  /** The memory of the process, which its models may not exceed; by default only their sizes count. */
  readonly memory?: ProcessMemory | undefined;
  readonly logger: Logger;
  readonly monitoring: Monitoring;
  /** Where models that could crash the process are tried first. */
  readonly trials: Trials;
  /** The pages for browsers. */
  readonly pages: Pages;
  /** What the registry of models works with; by default there is none. */
  readonly registry?: (() => Promise<RegistryParts>) | undefined;
}

/** The whole server as one function from Request to Response. */
export interface App {
  /** The core below the routes, for hosts that have work other than requests. */
  readonly inference: Inference;
  /** The memory for the bodies of all requests, for hosts that read them. */
  readonly bodyRoom: BodyRoom;
  /** Answers a request. It never rejects: every failure becomes a JSON error. */
  fetch(request: Request, context: RequestContext): Promise<Response>;
  /** Answers an event that the host cannot read as a request, or does not allow. */
  refuse(thrown: unknown, context: RequestContext): Response;
  /** Opens what sends spans and metrics. It never rejects; a failure is logged. */
  start(): Promise<void>;
  /** Starts, and loads the models named in the config, so that the first request need not. */
  preload(): Promise<void>;
  /** Frees all sessions. */
  close(): Promise<void>;
}

const LONGEST_LOGGED_PATH = 200;

/** Puts the server together from its parts. */
export function createApp(dependencies: AppDependencies): App {
  const { config, repository, tasks, own, openSession, memory, logger, monitoring, trials, pages, registry } =
    dependencies;
  const onLoad = monitoring.load;
  // They are in the metrics, and in the line of a request.
  const countsValues = monitoring.collect !== undefined || logger.writes('error');
  const addSteps = own?.addSteps;
  const parts = { repository, tasks, addSteps, openSession, memory, trials, logger, onLoad, countsValues };
  const isBusy = () => monitoring.inProgress > 0;
  const openNotes =
    registry && config.adminKey !== undefined
      ? loadOnce(async () =>
          (await import('./registry/note-held-back.ts')).createHeldBackNotes(registry, logger),
        )
      : undefined;
  const onHeldBack = openNotes && (async (failed: HeldBackVersion) => await (await openNotes())(failed));
  const inference = createInference({
    ...config,
    ...parts,
    isBusy,
    onShadow: monitoring.shadow,
    onHeldBack,
  });
  const bodyRoom = createBodyRoom(config.bodiesBytes);
  const ownRequests = own?.createRequests(ask);
  const options = { inference, config, version: VERSION, logger, monitoring, pages, registry };
  const routes = createRoutes(options, ownRequests?.protocol);

  /** Answers a request of own code to a model. */
  async function ask(request: Request, context: RequestContext): Promise<Answer> {
    const body = bodyRoom.open(context.signal);
    try {
      const budget = createBudget(config.limits, context);
      return await answer(routes, request, { context, budget, body, startMs: performance.now() });
    } finally {
      body.close();
    }
  }

  async function respond(request: Request, context: RequestContext): Promise<Response> {
    const startMs = performance.now();
    const end = monitoring.begin();
    // If the host has not counted the body yet, it is counted here.
    const body = context.body ?? bodyRoom.open(context.signal);
    const budget = createBudget(config.limits, context);
    const arrived = { context, budget, body, startMs };
    const answered = ownRequests
      ? await ownRequests.around(request, context, (given) => answer(routes, given, arrived))
      : await answer(routes, request, arrived);
    if (body !== context.body) body.close();
    const answeredMs = performance.now();
    setHeaders(answered.response, context);
    if (answered.usage) nameVersion(answered.response, answered.usage);
    const endMs = performance.now();
    const whole = { ...answered, request, context, startMs, answeredMs, endMs };
    answered.response.headers.set('server-timing', describeTiming(whole));
    if (answered.error) context.onError?.(answered.error);
    const record = recordOf(whole);
    monitoring.request(record, context);
    ownRequests?.observe(record, context);
    end();
    return answered.response;
  }

  const start = loadOnce(async () => {
    await monitoring.start().catch((error: unknown) => {
      logger.log('error', 'spans and metrics will not be sent', { error });
    });
  });

  return {
    inference,
    bodyRoom,
    start,
    fetch: (request, context) =>
      monitoring.exporter?.trace?.(request.headers, context, (traced) => respond(request, traced)) ??
      respond(request, context),
    refuse: (thrown, context) => {
      const error =
        thrown instanceof InferenceError
          ? thrown
          : new InferenceError('BAD_REQUEST', 'The event cannot be read as a request.', { cause: thrown });
      const response = errorResponse(error, context.requestId);
      setHeaders(response, context);
      logger.log('warn', 'request refused', {
        request_id: context.requestId,
        status: error.status,
        error_code: error.code,
        ...(error !== thrown && { error }),
      });
      return response;
    },
    preload: async () => {
      await start();
      await inference.preload(config.preloadModels);
      monitoring.exporter?.ready?.();
    },
    close: async () => {
      await monitoring.close();
      await inference.close();
    },
  };
}

function setHeaders({ headers }: Response, { requestId }: RequestContext): void {
  headers.set('x-request-id', requestId);
  headers.set('x-content-type-options', 'nosniff');
}

/** Every protocol says which version answered, and why that one. */
function nameVersion({ headers }: Response, { reference }: ModelUsage): void {
  headers.set('ternion-model-version', reference.version);
  headers.set('ternion-variant', reference.variant ?? 'live');
  if (reference.sticky === false) headers.set('ternion-sticky', 'false');
}

/** The answer of the routes; every failure in them becomes an error response. */
async function answer(
  routes: Hono<AppEnvironment>,
  request: Request,
  arrived: Pick<Bindings, 'context' | 'budget' | 'body' | 'startMs'>,
): Promise<Answer> {
  let settled: Answer | undefined;
  const bindings: Bindings = {
    ...arrived,
    forward: async (other) => ({
      ...(await answer(routes, other, arrived)),
      forwardedTo: pathOfUrl(other.url),
    }),
    settle: (whole) => {
      settled = whole;
      return whole.response;
    },
  };
  try {
    const response = await routes.fetch(request, bindings);
    // The router makes another response of one to HEAD.
    const whole = settled?.response === response ? settled : { ...settled, response };
    return whole.usage ? whole : { ...whole, named: bindings.named };
  } catch (thrown) {
    // Hono passes errors to `onError`, but not thrown values that are not an Error.
    return answerError(thrown, arrived.context.requestId);
  }
}

/** @param own the routes of own code, which go before all others */
function createRoutes(options: ProtocolOptions, own: ListedProtocol | undefined): Hono<AppEnvironment> {
  // The base class without Hono's own routers: RegExpRouter refuses routes like these.
  const routes = new HonoBase<AppEnvironment>({
    router: new FirstMatchRouter(),
    getPath: memoizeBy(
      ({ url }: Request) => url,
      (request) => routePathOf(request, options.config.basePath),
    ),
  });
  const protocols = [...(own ? [own] : []), ...createProtocols(options)];
  mountProtocols(routes, protocols);
  if (options.config.docs) mountProtocols(routes, [listDocs(options, protocols)]);

  routes.notFound((c) => {
    const allowed = METHODS.filter((method) => routes.router.match(method, c.req.path)[0].length > 0);
    if (allowed.length > 0) return answerOtherMethod(c, allowed);
    const path = JSON.stringify(c.req.path.slice(0, LONGEST_LOGGED_PATH));
    throw new InferenceError('ENDPOINT_NOT_FOUND', `There is nothing at ${path}; GET / lists what there is.`);
  });
  routes.onError((thrown, { env: { settle, context } }) => settle(answerError(thrown, context.requestId)));
  return routes;
}

/** Source: W3C Server Timing. */
function describeTiming({ usage, startMs, endMs }: Answered): string {
  const total = `total;dur=${roundMs(endMs - startMs)}`;
  if (!usage || usage.runs === 0) return total;
  return `load;dur=${roundMs(usage.loadMs)}, run;dur=${roundMs(usage.runMs)}, ${total}`;
}
