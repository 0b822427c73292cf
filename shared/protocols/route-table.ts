import type { Config } from '../config.ts';
import { withoutSlash } from '../http/route-path.ts';
import type { Operation, Route } from './operation.ts';

/** A method and a path, as the first line of a request has them: `GET /models/{model}`. */
type RouteText = `${Operation['method']} /${string}`;

/**
 * The routes of each protocol, in the order in which they are tried. With them a server can route requests before it
 * has loaded the protocols: most servers answer requests of one of them.
 * test/shared/protocols/route-table.test.ts compares them with the operations of the protocols.
 */
const ROUTES: Readonly<Record<string, (config: Config) => readonly RouteText[]>> = {
  'vertex-ai': ({ vertexRoutes: { health, predict } }) => [
    ...(health === undefined ? [] : [`GET ${toPath(health)}` as const]),
    ...(predict === undefined ? [] : [`POST ${toPath(predict)}` as const]),
    `GET ${VERTEX_CONTAINER}`,
    `POST ${VERTEX_CONTAINER}:predict`,
    `POST ${VERTEX_ENDPOINTS}/{endpoint}:predict`,
    `POST ${VERTEX_ENDPOINTS}/{endpoint}:rawPredict`,
    `GET ${VERTEX_ENDPOINTS}`,
    `GET ${VERTEX_ENDPOINTS}/{endpoint}`,
    ...VERTEX_REFUSED.map((verb) => `ALL ${VERTEX_ENDPOINTS}/{endpoint}:${verb}` as const),
    `ALL ${VERTEX_LOCATION}/{collection}`,
    `ALL ${VERTEX_LOCATION}/{collection}/{item}`,
  ],
  metrics: ({ metrics }) => [
    ...(metrics.length > 0 ? (['GET /metrics'] as const) : []),
    ...(metrics.includes('tensorflow-serving') ? ([`GET ${TENSORFLOW_SERVING_METRICS}`] as const) : []),
  ],
  catalog: () => [
    'GET /',
    'GET /health',
    'GET /models',
    'GET /models/{model}',
    'GET /models/{model}/releases',
    'GET /models/{model}/versions/{version}',
  ],
  ternion: () => [
    'POST /predict',
    'POST /models/{model}/predict',
    'POST /models/{model}/versions/{version}/predict',
  ],
  'open-inference': () => [
    'GET /v2',
    'GET /v2/health/live',
    'GET /v2/health/ready',
    'GET /v2/models',
    'GET /v2/models/stats',
    'POST /v2/repository/index',
    'POST /v2/repository/{repository}/index',
    'POST /v2/repository/models/{model}/load',
    'POST /v2/repository/models/{model}/unload',
    ...V2_MODELS.flatMap(
      (path) =>
        [
          `GET ${path}`,
          `GET ${path}/ready`,
          `GET ${path}/stats`,
          `GET ${path}/config`,
          `POST ${path}/infer`,
        ] as const,
    ),
    'ALL /v2/logging',
    'ALL /v2/trace/setting',
    'ALL /v2/models/{model}/trace/setting',
    'ALL /v2/systemsharedmemory/*',
    'ALL /v2/cudasharedmemory/*',
    ...V2_MODELS.flatMap((path) => [`ALL ${path}/generate`, `ALL ${path}/generate_stream`] as const),
    'ALL /v2/repository/{repository}/models/{model}/load',
    'ALL /v2/repository/{repository}/models/{model}/unload',
  ],
  'tensorflow-serving': () =>
    V1_MODELS.flatMap(
      (path) =>
        [
          `GET ${path}`,
          `GET ${path}/metadata`,
          `POST ${path}:predict`,
          `POST ${path}:classify`,
          `POST ${path}:regress`,
        ] as const,
    ),
  kserve: ({ protocols }) => [
    'GET /v1/models',
    'GET /v1/models/{model}',
    'POST /v1/models/{model}:predict',
    ...(protocols.includes('hugging-face') ? [] : (['POST /'] as const)),
    ...V1_MODELS.map((path) => `ALL ${path}:explain` as const),
  ],
  sagemaker: () => [
    'GET /ping',
    'POST /invocations',
    'POST /models/{model}/invoke',
    'GET /execution-parameters',
    'POST /endpoints/{endpoint}/invocations',
    'POST /endpoints/{endpoint}/invocations-response-stream',
    'ALL /endpoints/{endpoint}/async-invocations',
  ],
  mlflow: ({ adminKey }) => [
    'GET /ping',
    'GET /version',
    'POST /invocations',
    'POST /serving-endpoints/{endpoint}/invocations',
    'GET /api/2.0/endpoints',
    'GET /api/2.0/endpoints/{endpoint}',
    'GET /api/2.0/serving-endpoints',
    'GET /api/2.0/serving-endpoints/{endpoint}',
    'ALL /api/2.0/serving-endpoints/{endpoint}/{part}',
    'GET /.well-known/databricks-config',
    'GET /oidc/.well-known/oauth-authorization-server',
    'POST /oidc/v1/token',
    ...(adminKey === undefined
      ? []
      : ([
          `GET ${RELEASES}/history`,
          ...['rollback', 'promote', 'split'].map((call) => `POST ${RELEASES}/${call}` as const),
        ] as const)),
    'ALL /api/2.0/mlflow/*',
    'ALL /api/2.0/ternion/*',
  ],
  'azure-ml': () => ['POST /score', 'GET /score'],
  'hugging-face': () => [
    'POST /',
    'POST /hf/{model}',
    'POST /models/{model}',
    'POST /models/{model}/pipeline/{task}',
  ],
  ubiops: () => [
    ...UBIOPS_KINDS.flatMap(([kind, model]) =>
      ['', '/versions/{version}'].flatMap((version) => {
        const path = `${UBIOPS}/{project}/${kind}/${model}${version}/requests` as const;
        return [
          `POST ${path}`,
          `GET ${path}`,
          `ALL ${path}/{request}`,
          `ALL ${path}/{request}/input`,
          `ALL ${path}/{request}/output`,
        ] as const;
      }),
    ),
    'GET /v2.1/status',
    `GET ${UBIOPS}`,
    `GET ${UBIOPS}/{project}`,
    ...UBIOPS_KINDS.flatMap(([kind, model]) => {
      const path = `${UBIOPS}/{project}/${kind}` as const;
      return [
        `GET ${path}`,
        `GET ${path}/${model}`,
        `GET ${path}/${model}/versions`,
        `GET ${path}/${model}/versions/{version}`,
      ] as const;
    }),
  ],
  torchserve: ({ docs, adminRoutes }) => [
    'GET /ping',
    ...TORCHSERVE_MODELS.flatMap(
      (model) => [`POST /predictions/${model}`, `PUT /predictions/${model}`] as const,
    ),
    ...TORCHSERVE_MODELS.map((model) => `ALL /explanations/${model}` as const),
    ...(docs ? (['GET /api-description', 'OPTIONS /', 'OPTIONS /api-description'] as const) : []),
    'GET /models/{model}/all',
    'GET /models/{model}/{version}',
    ...(adminRoutes
      ? ([
          'POST /models',
          ...TORCHSERVE_MODELS.flatMap(
            (model) => [`PUT /models/${model}`, `DELETE /models/${model}`] as const,
          ),
        ] as const)
      : []),
    ...TORCHSERVE_MODELS.flatMap((model) => [`POST /${model}/predict`, `PUT /${model}/predict`] as const),
  ],
};

/** Where TensorFlow Serving gives its metrics. Source: tensorflow/serving, prometheus_exporter.cc. */
export const TENSORFLOW_SERVING_METRICS = '/monitoring/prometheus/metrics';
/** What MLflow's registry lacks. */
export const RELEASES = '/api/2.0/ternion/registered-models';
export const VERTEX_CONTAINER = '/v1/endpoints/{endpoint}/deployedModels/{deployedModel}';
export const VERTEX_LOCATION = '/v1/projects/{project}/locations/{location}';
export const VERTEX_ENDPOINTS = `${VERTEX_LOCATION}/endpoints` as const;
/** Methods of endpoints that have no meaning for the models here, or no answer over HTTP. */
export const VERTEX_REFUSED = [
  'explain',
  'directPredict',
  'directRawPredict',
  'streamRawPredict',
  'serverStreamingPredict',
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'deployModel',
  'undeployModel',
  'mutateDeployedModel',
];
const V1_MODELS = [
  '/v1/models/{model}',
  '/v1/models/{model}/versions/{version}',
  '/v1/models/{model}/labels/{label}',
] as const;
const V2_MODELS = ['/v2/models/{model}', '/v2/models/{model}/versions/{version}'] as const;
const UBIOPS = '/v2.1/projects';
const UBIOPS_KINDS = [
  ['deployments', '{deployment}'],
  ['pipelines', '{pipeline}'],
] as const;
const TORCHSERVE_MODELS = ['{model}', '{model}/{version}'] as const;

function toPath(path: string): `/${string}` {
  return `/${withoutSlash(path).slice(1)}`;
}

/** The routes that a protocol has with a configuration. */
export function routesOf(protocol: string, config: Config): readonly Route[] {
  return (ROUTES[protocol]?.(config) ?? []).map((text) => {
    const space = text.indexOf(' ');
    return { method: text.slice(0, space), path: text.slice(space + 1) };
  });
}
