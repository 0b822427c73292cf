import type { Context } from 'hono';
import { InferenceError, invalid } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ModelReference } from '../../models/model-reference.ts';
import type { ModelDescriber } from '../catalog.ts';
import { encodeModel, readNames, STARTED } from '../encode-model.ts';
import type { Operation, ProtocolOptions } from '../operation.ts';
import { customizedQuery, minWorkerQuery, statusResponse, versionsResponse } from './schemas.ts';

const MODEL = '/models/{model}';

/**
 * The management interface of TorchServe. The repository decides which version is live and where models come from. Only
 * the operator can load models into this instance and unload them.
 */
export function createManagementOperations(options: ProtocolOptions): readonly Operation[] {
  const describe = (path: string, summary: string): Operation => ({
    method: 'GET',
    path,
    summary,
    query: { customized: customizedQuery },
    response: { 'application/json': versionsResponse },
    handle: async (c) => await describeVersions(c, await findVersions(c, options), options),
  });
  return [
    describe(`${MODEL}/all`, 'List all versions of a model and their workers'),
    describe(`${MODEL}/{version}`, 'Describe one version of a model and its workers'),
    ...(options.config.adminRoutes ? createAdminOperations(options) : []),
  ];
}

function createAdminOperations(options: ProtocolOptions): readonly Operation[] {
  const { inference } = options;

  const unload = async (c: Context<AppEnvironment>) => {
    await unloadModel(c);
    return jsonResponse({ status: `Model "${c.req.param('model')}" unregistered` });
  };
  const unloadModel = async (c: Context<AppEnvironment>) => {
    const version = c.req.param('version');
    const reference = await inference.resolve({ model: c.req.param('model') ?? '', version }, c.env);
    await inference.unload(reference.name, version === undefined ? undefined : reference.version);
  };
  const scale = async (c: Context<AppEnvironment>) => {
    const workers = readWorkers(c.req.query('min_worker'));
    if (workers === 0) await unloadModel(c);
    else await inference.load({ model: c.req.param('model') ?? '', version: c.req.param('version') }, c.env);
    const state = workers === 0 ? 'unloaded' : 'loaded';
    return jsonResponse({ status: `Model "${c.req.param('model')}" is ${state}` });
  };
  const forModel = (path: string): readonly Operation[] => [
    {
      method: 'PUT',
      path,
      isAdmin: true,
      summary: 'Load a model into this instance, or unload it',
      query: { min_worker: minWorkerQuery },
      response: { 'application/json': statusResponse },
      handle: scale,
    },
    {
      method: 'DELETE',
      path,
      isAdmin: true,
      summary: 'Unload a model from this instance',
      response: { 'application/json': statusResponse },
      handle: unload,
    },
  ];
  return [
    {
      method: 'POST',
      path: '/models',
      isAdmin: true,
      summary: 'Refuse to register a model',
      handle: refuseRegistration,
    },
    ...forModel(MODEL),
    ...forModel(`${MODEL}/{version}`),
  ];
}

/** A client could make a server that fetches any address fetch from inside its own network. */
function refuseRegistration(): never {
  throw new InferenceError(
    'NOT_IMPLEMENTED',
    'Models cannot be registered by URL: put them into the model repository, and the server finds them.',
  );
}

function readWorkers(text = '1'): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(
    'Parameter "min_worker"',
    `is ${JSON.stringify(text.slice(0, 40))}; expected a whole number of at least 0.`,
  );
}

/** The version in the path; without one all of them. */
async function findVersions(
  c: Context<AppEnvironment>,
  { inference: { repository } }: ProtocolOptions,
): Promise<readonly ModelReference[]> {
  const version = c.req.param('version');
  const reference = await repository.resolve(c.req.param('model') ?? '', version, c.env.budget);
  const listing = await repository.versions(reference.name);
  if (version !== undefined || !listing) return [reference];
  return listing.versions.map((each) => ({ name: reference.name, version: each }));
}

/**
 * Whether a client wants a model described as TorchServe does. Its route `GET /models/{model}` is also ours and that of
 * SageMaker's multi-model endpoints, which have another answer. Only this server's setting, or a parameter that only
 * TorchServe has, shows which one is meant.
 */
function wantsTorchServe(c: Context<AppEnvironment>, { config }: ProtocolOptions): boolean {
  if (!config.protocols.includes('torchserve')) return false;
  return config.dialect === 'torchserve' || c.req.query('customized') !== undefined;
}

/** Versions of a model as TorchServe's management interface lists them, each with its worker. */
async function describeVersions(
  c: Context<AppEnvironment>,
  references: readonly ModelReference[],
  options: ProtocolOptions,
): Promise<Response> {
  const isCustomized = c.req.query('customized') === 'true';
  const versions = references.map(({ version }) => version);
  const described: WritableJson[] = [];
  for (const reference of references) {
    const customizedMetadata = isCustomized
      ? await options.inference.use({ reference }, c.env, ({ model }) => encodeModel(model, versions))
      : undefined;
    described.push({
      ...(await encodeVersion(reference, options)),
      customizedMetadata: customizedMetadata?.value,
    });
  }
  return jsonResponse(described);
}

/** The one worker is this instance. A model that is not in memory is READY too: it is loaded on demand. */
async function encodeVersion(reference: ModelReference, { inference }: ProtocolOptions) {
  const state = inference.state(reference);
  const status = state === 'loading' ? 'LOADING' : 'READY';
  const worker = { id: '1', startTime: STARTED, status, memoryUsage: 0, gpu: false };
  return {
    ...(await readNames(reference, inference.repository)),
    modelVersion: reference.version,
    runtime: 'onnxruntime',
    minWorkers: 1,
    maxWorkers: 1,
    batchSize: 1,
    maxBatchDelay: 0,
    workers: state === 'failed' || state === 'unloaded' ? [] : [worker],
  };
}

/** How TorchServe describes models on a route that it shares with other servers. */
export function createVersionDescriber(options: ProtocolOptions): ModelDescriber {
  return {
    isAsked: (c) => wantsTorchServe(c, options),
    describe: (c, references) => describeVersions(c, references, options),
    query: { customized: customizedQuery },
    response: versionsResponse,
  };
}
