import type { Context } from 'hono';
import * as z from 'zod/mini';
import type { Budget } from '../budget.ts';
import type { Answer, AppEnvironment } from '../http/context.ts';
import { prefersHtml } from '../http/prefers-html.ts';
import { jsonResponse } from '../http/respond.ts';
import type { Inference } from '../inference/inference.ts';
import type { WritableJson } from '../json/write-json.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelListing, ModelReference } from '../models/model-reference.ts';
import type { Logger } from '../monitoring/logger.ts';
import type { Pages } from '../pages/pages.ts';
import { respondPage } from '../pages/respond-page.ts';
import { StoreError } from '../stores/model-store.ts';
import { lazily } from './body/lazily.ts';
import * as schemas from './catalog-schemas.ts';
import { encodeModel, readNames } from './encode-model.ts';
import {
  jsonContent,
  loadSchema,
  type Protocol,
  type ProtocolOptions,
  type SchemaSource,
} from './operation.ts';
import { pageQuery, takePage } from './paging.ts';

/** How another server describes a model on the same route. */
export interface ModelDescriber {
  /** Whether a client asks for that. */
  readonly isAsked: (c: Context<AppEnvironment>) => boolean;
  readonly describe: (c: Context<AppEnvironment>, references: readonly ModelReference[]) => Promise<Response>;
  readonly query: Readonly<Record<string, SchemaSource>>;
  readonly response: SchemaSource;
}

/** What clients can read about the server: its name and version, its health, and the models it serves. */
export function createCatalog(options: ProtocolOptions, other: ModelDescriber): Protocol {
  const { inference, version, logger, config } = options;
  const playground = config.playground ? options.pages : undefined;
  const { repository } = inference;

  async function describeModel(c: Context<AppEnvironment>): Promise<Response | Answer> {
    const version = c.req.param('version');
    const reference = await inference.resolve({ model: c.req.param('model') ?? '', version }, c.env);
    if (version === undefined && other.isAsked(c)) return await other.describe(c, [reference]);
    const listing = await repository.versions(reference.name);
    const versions = listing?.versions ?? [reference.version];
    const { value, usage } = await inference.use({ reference }, c.env, ({ model }) =>
      encodeModel(model, versions),
    );
    return { response: jsonResponse(value), usage };
  }

  return {
    name: 'catalog',
    description: 'The server, its health, and the models it serves.',
    operations: [
      {
        method: 'GET',
        path: '/',
        summary: 'Describe this server',
        response: jsonContent(schemas.indexResponse),
        handle: async (c) => {
          const page = playground && prefersHtml(c) && (await openPlayground(playground, c, logger));
          const index = async () => encodeIndex(version, await repository.list(c.env.budget), config.docs);
          return page || jsonResponse(await index(), 200, VARIES);
        },
      },
      {
        method: 'GET',
        path: '/health',
        summary: 'Check the health of the server',
        response: jsonContent(schemas.healthResponse),
        otherResponses: { 503: jsonContent(schemas.healthResponse) },
        handle: (c) => respondHealth({ inference, version, logger }, c.env.budget),
      },
      {
        method: 'GET',
        path: '/models',
        summary: 'List the models that are served',
        response: jsonContent(schemas.modelsResponse),
        query: pageQuery,
        handle: async (c) => {
          const { items, nextPageToken } = takePage(await repository.list(c.env.budget), c.req.query());
          const models = await Promise.all(items.map((model) => encodeListing(model, inference)));
          return jsonResponse({ models, nextPageToken });
        },
      },
      {
        method: 'GET',
        path: '/models/{model}',
        summary: 'Describe a model',
        query: other.query,
        response: jsonContent(
          lazily(async () => z.union([schemas.modelResponse(), await loadSchema(other.response)])),
        ),
        handle: describeModel,
      },
      {
        method: 'GET',
        path: '/models/{model}/releases',
        summary: 'Describe what is served of a model: live version, aliases, and how requests are divided',
        response: jsonContent(schemas.releasesResponse),
        handle: async (c) => {
          const { encodeReleases } = await import('./encode-releases.ts');
          return jsonResponse(await encodeReleases(c.req.param('model') ?? '', options, c.env.budget));
        },
      },
      {
        method: 'GET',
        path: '/models/{model}/versions/{version}',
        summary: 'Describe one version of a model',
        response: jsonContent(schemas.modelResponse),
        handle: describeModel,
      },
    ],
  };
}

/** The answer at `/` depends on what the client accepts. */
const VARIES = { vary: 'accept' };

/** The pages beside the playground: the curves of this process, and what is served of each model. */
const OTHER_PAGES = ['curves', 'releases'];

/**
 * The playground, or another page, such as the one at `/?page=curves`. Every build makes these files; without them,
 * browsers get the same answer as other clients.
 */
async function openPlayground(
  pages: Pages,
  c: Context<AppEnvironment>,
  logger: Logger,
): Promise<Response | undefined> {
  const name = OTHER_PAGES.find((each) => each === c.req.query('page')) ?? 'playground';
  const page = await respondPage(pages, `${name}.html`, c.req.raw, VARIES);
  if (!page) logger.log('warn', 'the playground is not among the pages of this build');
  return page;
}

/** The state of the server, with status 503 when it can serve no model at all. */
export async function respondHealth(
  { inference, version, logger }: Pick<ProtocolOptions, 'inference' | 'version' | 'logger'>,
  budget: Budget,
): Promise<Response> {
  const health = await checkHealth(inference, logger, budget);
  const [status, headers] = health.status === 'error' ? [503, { 'retry-after': '1' }] : [200, {}];
  return jsonResponse({ ...health, version }, status, headers);
}

function encodeIndex(version: string, models: readonly ModelListing[], hasDocs: boolean): WritableJson {
  return {
    name: 'Ternion',
    // How clients of KServe see that the server is alive.
    status: 'alive',
    version,
    description: 'Serves ONNX models over HTTP.',
    models: models.map(({ name }) => name),
    links: {
      health: '/health',
      models: '/models',
      model: '/models/{model}',
      predict: '/predict',
      model_predict: '/models/{model}/predict',
      version_predict: '/models/{model}/versions/{version}/predict',
      ...(hasDocs && { docs: '/docs', openapi: '/openapi.json' }),
    },
  };
}

interface Health {
  readonly status: 'ok' | 'degraded' | 'error';
  readonly models: WritableJson;
  readonly reason?: string;
}

/** `error` means that no model can be served at all, `degraded` that a model failed to load; the log has the causes. */
async function checkHealth(inference: Inference, logger: Logger, budget: Budget): Promise<Health> {
  try {
    await inference.checkRuntime();
  } catch (error) {
    logger.log('error', 'inference runtime failed to load', { error });
    return {
      status: 'error',
      reason: 'The inference runtime cannot be loaded on this host; the log says why.',
      models: [],
    };
  }
  try {
    const listed = await inference.repository.list(budget);
    const models = listed.map(({ name, versions, liveVersion }) => {
      const heldBack = inference.heldBack(name);
      return {
        name,
        versions,
        live_version: liveVersion,
        state: inference.state({ name, version: liveVersion }) ?? 'idle',
        ...(heldBack.length > 0 && { held_back: heldBack }),
      };
    });
    const isDegraded = models.some((each) => each.state === 'failed' || 'held_back' in each);
    return { status: isDegraded ? 'degraded' : 'ok', models };
  } catch (error) {
    logger.log('error', 'model repository failed', { error });
    return { status: 'error', reason: 'The model repository cannot be read; the log says why.', models: [] };
  }
}

async function encodeListing(
  { name, versions, liveVersion }: ModelListing,
  inference: Inference,
): Promise<WritableJson> {
  const task = await readTask({ name, version: liveVersion }, inference);
  const names = await readNames({ name, version: liveVersion }, inference.repository);
  return { name, versions, live_version: liveVersion, ...task, ...names };
}

/** The task comes from small files such as model.json: a listing must not fetch and load every model. */
export async function readTask(
  reference: ModelReference,
  inference: Inference,
): Promise<{ task: WritableJson; problem?: string }> {
  try {
    const config = await inference.repository.config(reference);
    return { task: config?.task ?? null };
  } catch (error) {
    if (error instanceof ModelError)
      return { task: null, problem: `The model cannot be served: ${error.message}.` };
    if (error instanceof StoreError) return { task: null, problem: 'The model repository cannot be read.' };
    throw error;
  }
}
