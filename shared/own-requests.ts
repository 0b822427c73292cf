import { ConfigError } from './config.ts';
import { InferenceError } from './errors.ts';
import { BytesRequest, BytesResponse } from './http/bytes.ts';
import type { Answer, RequestContext } from './http/context.ts';
import { toTraceparent } from './http/trace-context.ts';
import { type AddSteps, createAddSteps } from './inference/processed-model.ts';
import { isJsonObject, type JsonValue } from './json/json-value.ts';
import type { RequestRecord } from './monitoring/request-record.ts';
import { invalidField } from './processors/invalid-field.ts';
import { type AnswerRecord, type OwnCode, type OwnContext, PredictError } from './processors/own-code.ts';
import { isInvalidInput } from './processors/processor.ts';
import { answerError } from './protocols/answer.ts';
import type { ListedProtocol, Operation } from './protocols/operation.ts';

/** Answers a request to the server itself, without the functions around it. */
type Ask = (request: Request, context: RequestContext) => Promise<Answer>;

/** The own code of a project, as the app takes it. What it needs for requests is loaded only with own code. */
export interface AppOwnCode {
  readonly addSteps: AddSteps;
  readonly createRequests: (ask: Ask) => OwnRequests;
}

/** Makes own code ready for an app. */
export function prepareOwnCode(code: OwnCode): AppOwnCode {
  return {
    addSteps: createAddSteps(code.processors ?? []),
    createRequests: (ask) => createOwnRequests(code, ask),
  };
}

/** The parts of own code that belong to requests, and not to a model. */
export interface OwnRequests {
  /** The routes of own code. */
  readonly protocol: ListedProtocol;
  /**
   * Answers a request through all functions of own code around it.
   *
   * @param answer answers it, or another request that they made of it
   */
  around(
    request: Request,
    context: RequestContext,
    answer: (request: Request) => Promise<Answer>,
  ): Promise<Answer>;
  /** Calls own code with an answer, after it. */
  observe(record: RequestRecord, context: RequestContext): void;
}

/** How long own code may take after an answer. */
const OBSERVE_MS = 5_000;

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'];

/**
 * @param ask answers requests of own code to the server
 * @throws ConfigError for a route that cannot be
 */
function createOwnRequests({ routes = [], middleware = [], onAnswer }: OwnCode, ask: Ask): OwnRequests {
  for (const { method, path } of routes) {
    if (!METHODS.includes(method) || !path.startsWith('/')) {
      throw new ConfigError(
        `ternion.config.ts has the route ${JSON.stringify(`${method} ${path}`)}; expected one of ${METHODS.join(', ')} and a path that begins with /.`,
      );
    }
  }

  const contextOf = (context: RequestContext): OwnContext => ({
    requestId: context.requestId,
    traceparent: toTraceparent(context.trace),
    predict: async (model, body) => await predict(model, body, context, ask),
  });

  const operations = routes.map(
    ({ method, path, summary, handle }): Operation => ({
      method,
      path,
      ...(summary === undefined ? { isLegacy: true } : { summary }),
      handle: async (c) => {
        const { context } = c.env;
        const params = c.req.param();
        return await blame('route', `${method} ${path}`, () =>
          handle(toStandardRequest(c.req.raw), { ...contextOf(context), params }),
        );
      },
    }),
  );
  const protocol = { name: 'own', description: 'Routes of this project.', operations };

  return {
    protocol: { routes: operations, load: async () => protocol },
    around: async (request, context, answer) => {
      if (middleware.length === 0) return await answer(request);
      let latest: Answer | undefined;
      let sent: Request | undefined;
      const call = async (index: number, given: Request): Promise<Response> => {
        const next = middleware[index];
        if (next !== undefined) {
          return await next(given, (changed) => call(index + 1, changed), contextOf(context));
        }
        // A body that nobody has changed is in memory already.
        latest = await answer(given === sent ? request : given);
        return toStandardResponse(latest.response);
      };
      try {
        sent = toStandardRequest(request);
        const first = sent;
        const response = await blame('function', 'middleware', () => call(0, first));
        return { ...latest, response };
      } catch (thrown) {
        return { ...answerError(thrown, context.requestId), usage: latest?.usage };
      }
    },
    observe: (record, context) => {
      if (!onAnswer) return;
      context.waitUntil(async () => await onAnswer(toAnswerRecord(record)), { budgetMs: OBSERVE_MS });
    },
  };
}

/** Methods whose requests have no body. */
const WITHOUT_BODY: readonly string[] = ['GET', 'HEAD'];
/** The Fetch standard does not allow requests of these methods. */
const FORBIDDEN: readonly string[] = ['CONNECT', 'TRACE', 'TRACK'];

/**
 * What own code expects of a request: that of a host has no stream, and another one cannot be made from it.
 *
 * @throws InferenceError when its body could not be read
 */
function toStandardRequest(request: Request): Request {
  if (!(request instanceof BytesRequest) || FORBIDDEN.includes(request.method.toUpperCase())) return request;
  const { url, method, headers, content } = request;
  const body = WITHOUT_BODY.includes(method) || content.length === 0 ? {} : { body: content };
  return new Request(url, { method, headers: new Headers([...headers]), ...body });
}

/** The same for an answer: its headers may be changed. */
export async function toStandardResponse(response: Response): Promise<Response> {
  if (!(response instanceof BytesResponse)) return response;
  const { status, headers } = response;
  return new Response(await response.bytes(), { status, headers: new Headers([...headers]) });
}

/** Own code may answer 400 with `invalid`. What else it throws is its failure. */
async function blame(
  kind: string,
  name: string,
  work: () => Response | Promise<Response>,
): Promise<Response> {
  let response: unknown;
  try {
    response = await work();
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    // What the model answers is the answer of own code that does not handle it.
    if (error instanceof PredictError && error.cause instanceof InferenceError) throw error.cause;
    if (isInvalidInput(error)) {
      throw invalidField(error.field, error.problem);
    }
    throw new InferenceError(
      'PROCESSOR_FAILED',
      `The ${kind} "${name}" failed; the log of the server says why.`,
      {
        cause: error,
      },
    );
  }
  if (response instanceof Response) return response;
  throw new InferenceError('PROCESSOR_FAILED', `The ${kind} "${name}" returned no Response.`);
}

async function predict(model: string, body: object, context: RequestContext, ask: Ask) {
  const path = model.split('/').map(encodeURIComponent).join('/');
  const request = new BytesRequest(
    `http://localhost/models/${path}/predict`,
    { method: 'POST', headers: new Headers({ 'content-type': 'application/json' }) },
    Buffer.from(JSON.stringify(body)),
  );
  const { response, error } = await ask(request, context);
  if (error) throw new PredictError(error.message, error.status, error.code, { cause: error });
  const answer: JsonValue = JSON.parse(await response.text());
  if (!isJsonObject(answer)) throw new Error('an answer is always an object');
  return answer;
}

/** What own code gets of an answer. */
function toAnswerRecord(record: RequestRecord): AnswerRecord {
  const { requestId, method, path, status, error, model, version, instances, coldStart } = record;
  return {
    requestId,
    method,
    path,
    status,
    errorCode: error?.code,
    model,
    modelVersion: version,
    instances,
    coldStart,
    durationMs: record.totalMs,
    runMs: record.steps.run,
  };
}
