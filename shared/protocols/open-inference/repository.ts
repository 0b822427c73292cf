import type { Context } from 'hono';
import { InferenceError, invalid, overLimit } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { readBody } from '../../http/read-body.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { Inference, ModelState } from '../../inference/inference.ts';
import { describeJson, isJsonObject, type JsonObject } from '../../json/json-value.ts';
import { parseRequestJson } from '../../json/request-json.ts';
import { jsonContent, type Operation } from '../operation.ts';
import * as schemas from './schemas.ts';

/** These requests hold names and switches. */
const LARGEST_BODY = 1024 * 1024;

const STATES = {
  loaded: 'READY',
  loading: 'LOADING',
  failed: 'UNAVAILABLE',
  unloaded: 'UNAVAILABLE',
} as const satisfies Record<ModelState, string>;

const REASONS: Readonly<Partial<Record<ModelState, string>>> = {
  failed: 'the model failed to load; the log says why',
  unloaded: 'unloaded',
};

/** What both index routes have in common. */
const INDEX = {
  method: 'POST',
  request: jsonContent(schemas.repositoryIndexRequest),
  isBodyOptional: true,
  response: jsonContent(schemas.repositoryIndex),
} as const;

/**
 * Triton's model repository extension. A model that is not in memory is READY too: it is loaded on demand. Loading and
 * unloading change the server for all clients, so only its operator may do it.
 */
export function createRepositoryOperations(inference: Inference, adminRoutes: boolean): readonly Operation[] {
  const { repository } = inference;

  async function readObject(c: Context<AppEnvironment>): Promise<JsonObject> {
    const { budget, body: part } = c.env;
    const body = await readBody(c.req.raw, budget.limits, part);
    if (body.length === 0) return {};
    if (body.length > LARGEST_BODY) {
      throw overLimit('The request body', `has more than ${LARGEST_BODY} bytes, the limit for this route.`);
    }
    const value = parseRequestJson(body, budget);
    if (isJsonObject(value)) return value;
    throw invalid('The request', `is ${describeJson(value)}; expected an object.`);
  }

  async function index(c: Context<AppEnvironment>): Promise<Response> {
    const { ready = false } = await readObject(c);
    if (typeof ready !== 'boolean')
      throw invalid('Field "ready"', `is ${describeJson(ready)}; expected true or false.`);
    const versions = (await repository.list(c.env.budget)).flatMap(({ name, versions }) =>
      versions.map((version) => ({ name, version })),
    );
    const entries = versions.map((reference) => {
      const state = inference.state(reference) ?? 'loaded';
      return { ...reference, state: STATES[state], reason: REASONS[state] ?? '' };
    });
    return jsonResponse(entries.filter(({ state }) => !ready || state === 'READY'));
  }

  function requireAdmin(): void {
    if (adminRoutes) return;
    throw new InferenceError(
      'PERMISSION_DENIED',
      'Loading and unloading models is switched off on this server (ADMIN_ROUTES). Models are loaded on demand.',
    );
  }

  async function load(c: Context<AppEnvironment>): Promise<Response> {
    requireAdmin();
    const { parameters = {} } = await readObject(c);
    const keys = isJsonObject(parameters) ? Object.keys(parameters) : ['parameters'];
    if (keys.length > 0)
      throw invalid(
        `A load cannot be changed by ${JSON.stringify(keys[0]?.slice(0, 60))}: models come from the repository.`,
      );
    const name = c.req.param('model') ?? '';
    await inference.load({ model: name }, c.env);
    return jsonResponse({ name, load: true });
  }

  async function unload(c: Context<AppEnvironment>): Promise<Response> {
    requireAdmin();
    await readObject(c);
    const name = c.req.param('model') ?? '';
    await inference.resolve({ model: name }, c.env);
    await inference.unload(name);
    return jsonResponse({ name, unload: true });
  }

  const model = '/v2/repository/models/{model}';
  return [
    {
      ...INDEX,
      path: '/v2/repository/index',
      summary: 'List the models of the repository with their states',
      handle: index,
    },
    {
      ...INDEX,
      path: '/v2/repository/{repository}/index',
      summary: 'List the models of the repository with their states, by the name of the repository',
      handle: index,
    },
    {
      method: 'POST',
      path: `${model}/load`,
      isAdmin: true,
      summary: 'Load a model',
      request: jsonContent(schemas.loadRequest),
      isBodyOptional: true,
      response: jsonContent(schemas.loadResponse),
      handle: load,
    },
    {
      method: 'POST',
      path: `${model}/unload`,
      isAdmin: true,
      summary: 'Unload a model',
      request: jsonContent(schemas.unloadRequest),
      isBodyOptional: true,
      response: jsonContent(schemas.unloadResponse),
      handle: unload,
    },
  ];
}
