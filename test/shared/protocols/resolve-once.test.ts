import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, requestUrl } from '../../../functions/host.ts';
import { createApp } from '../../../shared/app.ts';
import { parseConfig } from '../../../shared/config.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import type { ModelRepository } from '../../../shared/models/model-repository.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { loadProtocols, type Operation } from '../../../shared/protocols/operation.ts';
import { createProtocols } from '../../../shared/protocols/protocols.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { createInferenceOf } from '../../support/make-inference.ts';
import { NO_PAGES } from '../../support/no-pages.ts';
import { openRepository } from '../../support/open-repository.ts';
import { MODELS } from '../../support/project.ts';
import { SILENT_MONITORING } from '../../support/silent-monitoring.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { makeTrials } from '../../support/trials.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
const JSON_TYPE = { 'content-type': 'application/json' };
const json = (body: unknown, headers: Readonly<Record<string, string>> = {}): Sent => ({
  body: JSON.stringify(body),
  headers: { ...JSON_TYPE, ...headers },
});
const csv = (body: string): Sent => ({
  body,
  headers: { 'content-type': 'text/csv', accept: 'application/json' },
});

interface Sent {
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const V2 = json({ inputs: [{ name: 'features', shape: [1, 4], datatype: 'FP32', data: ROW }] });
const INSTANCES = json({ instances: [ROW] });
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** Bodies for the shared routes: one for each format that they distinguish. */
const SHARED: readonly Sent[] = [
  V2,
  INSTANCES,
  json({ instances: [ROW] }, { 'x-amzn-sagemaker-custom-attributes': 'tfs-method=predict' }),
  json({ examples: [{ features: ROW }] }, { 'x-amzn-sagemaker-custom-attributes': 'tfs-method=classify' }),
  json({ inputs: { features: [ROW] } }),
  json({ dataframe_split: { columns: Object.keys(NAMED), data: [ROW] } }),
  json({ dataframe_records: [NAMED] }),
  json({ input_data: [ROW] }),
  json({ input_data: [ROW] }, { 'azureml-model-deployment': '1' }),
  json({ data: [ROW] }),
  json({ table: Object.fromEntries(Object.entries(NAMED).map(([name, value]) => [name, [value]])) }),
  json([ROW]),
  csv('5.1,3.5,1.4,0.2\n4.9,3,1.4,0.2\n'),
  csv(`${Object.keys(NAMED).join(',')}\n5.1,3.5,1.4,0.2\n`),
  { body: `[${ROW}]\n[${ROW}]\n`, headers: { 'content-type': 'application/jsonlines' } },
];

/** Bodies that the routes of a protocol answer. Those that have none are sent without one. */
const BODIES: readonly (readonly [RegExp, readonly Sent[]])[] = [
  [/^\/v2\/repository/, [json({})]],
  [/\/infer$/, [V2]],
  [/:(?:classify|regress)$/, [json({ examples: [{ features: ROW }] })]],
  [/^\/v1\/models\/.*:predict$/, [INSTANCES, json({ inputs: [ROW] })]],
  [/^\/v1\/.*:rawPredict$/, SHARED],
  [/^\/v1\/.*:predict$/, [INSTANCES]],
  [/^\/serving-endpoints/, [json({ dataframe_records: [NAMED] }), INSTANCES]],
  [/invocations(?:-response-stream)?$|\/invoke$/, SHARED],
  [/^\/score$/, [json({ data: [ROW] }), json({ input_data: [ROW] }, { 'azureml-model-deployment': '1' })]],
  [/^\/v2\.1\//, [json({ features: ROW })]],
  [/\/pipeline\//, [json({ inputs: [ROW] })]],
  [/^\/(?:hf\/.*|models\/\{model\})?$/, [json({ inputs: [ROW] }), V2, INSTANCES]],
  [/^\/(?:models\/.*)?predict$/, [json({ features: ROW })]],
  [/predictions\/|\/predict$/, [json({ data: [ROW] })]],
];

/** Asks for things that do not exist, or for what does not concern one model. */
const OF_NO_MODEL = new Set([
  'GET /v1/endpoints/{endpoint}/deployedModels/{deployedModel}',
  'GET /v1/projects/{project}/locations/{location}/endpoints/{endpoint}',
  'GET /',
  'GET /health',
  'GET /metrics',
  'GET /models',
  'GET /v2',
  'GET /v2/health/live',
  'GET /v2/health/ready',
  'GET /v2/models',
  'GET /v2/models/stats',
  'POST /v2/repository/index',
  'POST /v2/repository/{repository}/index',
  'GET /v1/models',
  'GET /ping',
  'GET /version',
  'GET /execution-parameters',
  'GET /score',
  'POST /models',
  'GET /v1/projects/{project}/locations/{location}/endpoints',
  'GET /api/2.0/endpoints',
  'GET /api/2.0/serving-endpoints',
  'GET /.well-known/databricks-config',
  'GET /oidc/.well-known/oauth-authorization-server',
  'POST /oidc/v1/token',
  'GET /api-description',
  'OPTIONS /',
  'OPTIONS /api-description',
  'GET /v2.1/status',
  'GET /v2.1/projects',
  'GET /v2.1/projects/{project}',
  'GET /v2.1/projects/{project}/deployments',
  'GET /v2.1/projects/{project}/pipelines',
  'GET /v2.1/projects/{project}/pipelines/{pipeline}/requests',
  'GET /v2.1/projects/{project}/pipelines/{pipeline}/versions/{version}/requests',
  'GET /v2.1/projects/{project}/deployments/{deployment}/requests',
  'GET /v2.1/projects/{project}/deployments/{deployment}/versions/{version}/requests',
]);

/** How routes without a file of their own write the parameters in their paths. */
const NAMES: Readonly<Record<string, string>> = {
  model: 'iris',
  endpoint: 'iris',
  deployment: 'iris',
  pipeline: 'iris',
  deployedModel: '1',
  version: '1',
  label: 'stable',
  task: 'tabular-classification',
  project: 'p',
  location: 'l',
};

/** The app over a repository that counts, with two versions of a model and an alias for the first. */
async function openApp() {
  const asked: string[] = [];
  const folder = await makeFolder({ 'iris/deployment.json': '{"aliases": {"stable": "1"}}' });
  await cp(join(MODELS, 'iris'), join(folder, 'iris'), { recursive: true });
  const found = openRepository(openFilesystemStore(folder));
  const repository: ModelRepository = {
    ...found,
    knownVersion: (name, version) => {
      const known = found.knownVersion(name, version);
      if (known) asked.push(`${name}/${version ?? 'live'}`);
      return known;
    },
    resolve: (name, version) => {
      asked.push(`${name}/${version ?? 'live'}`);
      return found.resolve(name, version);
    },
    resolveAlias: (name, alias) => {
      asked.push(`${name}@${alias}`);
      return found.resolveAlias(name, alias);
    },
  };
  const app = createApp({
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    config: CONFIG,
    repository,
    logger: createLogger('silent', () => undefined),
    trials: makeTrials(),
    monitoring: SILENT_MONITORING,
    pages: NO_PAGES,
  });
  onTestFinished(() => app.close());
  return { app, asked };
}

const CONFIG = parseConfig({ ADMIN_ROUTES: 'true' });
const PROTOCOLS = createProtocols({
  inference: createInferenceOf(openRepository(openFilesystemStore(MODELS))),
  config: CONFIG,
  version: '0',
  logger: createLogger('silent', () => undefined),
  monitoring: SILENT_MONITORING,
  pages: NO_PAGES,
});
const OPERATIONS: readonly Operation[] = (await loadProtocols(PROTOCOLS))
  .flatMap(({ operations }) => operations)
  .filter(({ method, path }) => method !== 'ALL' && !OF_NO_MODEL.has(`${method} ${path}`));

/** A title, the operation and what is sent to it. */
const CASES = OPERATIONS.flatMap(({ method, path }) => {
  const operation = `${method} ${path}`;
  const bodies = isWithoutBody(method, path) ? undefined : bodiesFor(path);
  if (!bodies) return [{ title: operation, method, path, sent: { body: '', headers: {} } }];
  return bodies.map((sent, index) => ({ title: `${operation}, body ${index}`, method, path, sent }));
});

function isWithoutBody(method: string, path: string): boolean {
  return method === 'GET' || method === 'DELETE' || (method === 'PUT' && path.startsWith('/models/'));
}

function bodiesFor(path: string): readonly Sent[] {
  const bodies = BODIES.find(([pattern]) => pattern.test(path))?.[1];
  if (!bodies) throw new Error(`no body for ${path}`);
  return bodies;
}

describe('a request looks for its model once', () => {
  it.each(CASES)('$title', async ({ method, path, sent }) => {
    const { app, asked } = await openApp();
    const target = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => NAMES[name] ?? name);
    const request = new BytesRequest(
      requestUrl(target),
      { method, headers: new Headers(sent.headers) },
      Buffer.from(sent.body),
    );
    const response = await app.fetch(request, createContext(request.headers, 'id'));
    // The model classifies, and is asked to regress as well.
    expect([response.status, asked], await response.text()).toEqual([
      path.endsWith(':regress') ? 400 : 200,
      [expect.stringMatching(/^iris/)],
    ]);
  });
});
