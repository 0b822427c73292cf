import { type Context, Hono } from 'hono';
import type { AppEnvironment } from '../http/context.ts';
import { prefersHtml } from '../http/prefers-html.ts';
import { jsonResponse } from '../http/respond.ts';
import type { Inference } from '../inference/inference.ts';
import type { Model } from '../inference/load-model.ts';
import type { WritableJson } from '../json/write-json.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelListing, ModelReference } from '../models/model-repository.ts';
import type { Logger } from '../monitoring/logger.ts';
import type { Pages } from '../pages/pages.ts';
import { respondPage } from '../pages/respond-page.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { StoreError } from '../stores/model-store.ts';

export interface CatalogOptions {
  readonly inference: Inference;
  /** Version of Ternion itself. */
  readonly version: string;
  readonly logger: Logger;
  /** Where the page is that browsers get at `/`; undefined where they get JSON as well. */
  readonly playground: Pages | undefined;
}

/** What can be read of the server: what it is, whether it is well, and which models it serves. */
export function createCatalog(options: CatalogOptions): Hono<AppEnvironment> {
  const { inference, version, logger, playground } = options;
  const { repository } = inference;

  async function describeModel(c: Context<AppEnvironment>): Promise<Response> {
    const reference = await repository.resolve(c.req.param('model') ?? '', c.req.param('version'));
    const listing = (await repository.list()).find(({ name }) => name === reference.name);
    return jsonResponse(
      await inference.describe(reference, (model) =>
        encodeModel(model, listing?.versions ?? [reference.version]),
      ),
    );
  }

  return new Hono<AppEnvironment>({ strict: false })
    .get('/', async (c) => {
      const page = playground && prefersHtml(c) && (await openPlayground(playground, c.req.raw, logger));
      return page || jsonResponse(encodeIndex(version, await repository.list()), 200, VARIES);
    })
    .get('/health', async () => {
      const health = await checkHealth(inference, logger);
      return jsonResponse({ ...health, version }, health.status === 'error' ? 503 : 200);
    })
    .get('/models', async () => {
      const models = await repository.list();
      return jsonResponse({
        models: await Promise.all(models.map((model) => encodeListing(model, inference))),
      });
    })
    .get('/models/:model', describeModel)
    .get('/models/:model/versions/:version', describeModel);
}

/** What stands at `/` depends on what the client accepts. */
const VARIES = { vary: 'accept' };

/** Without its file, which a build always makes, browsers get what all others get. */
async function openPlayground(pages: Pages, request: Request, logger: Logger): Promise<Response | undefined> {
  const page = await respondPage(pages, 'playground.html', request, VARIES);
  if (!page) logger.log('warn', 'the playground is not among the pages of this build');
  return page;
}

function encodeIndex(version: string, models: readonly ModelListing[]): WritableJson {
  return {
    name: 'Ternion',
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
    },
  };
}

interface Health {
  readonly status: 'ok' | 'degraded' | 'error';
  readonly models: WritableJson;
  readonly reason?: string;
}

/** `error` means that no model can be served at all, `degraded` that a model failed to load; the log has the causes. */
async function checkHealth(inference: Inference, logger: Logger): Promise<Health> {
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
    const listed = await inference.repository.list();
    const models = listed.map(({ name, versions, liveVersion }) => ({
      name,
      versions,
      live_version: liveVersion,
      state: inference.state({ name, version: liveVersion }) ?? 'idle',
    }));
    return { status: models.some(({ state }) => state === 'failed') ? 'degraded' : 'ok', models };
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
  return { name, versions, live_version: liveVersion, ...task };
}

/** The task comes from model.json alone: a listing must not fetch and load every model. */
async function readTask(
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

function encodeModel(
  { reference, config, session, task, example }: Model,
  versions: readonly string[],
): WritableJson {
  return {
    name: reference.name,
    version: reference.version,
    versions,
    task: config.task,
    description: config.description,
    labels: task.labels,
    features: 'features' in config ? config.features : undefined,
    inputs: session.inputs.map(encodeSpec),
    outputs: session.outputs.map(encodeSpec),
    metrics: config.metrics,
    example,
  };
}

function encodeSpec({ name, datatype, shape }: TensorSpec): WritableJson {
  return { name, datatype, shape };
}
