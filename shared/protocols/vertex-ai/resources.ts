import type { Context } from 'hono';
import { InferenceError, invalid } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { originOf } from '../../http/origin.ts';
import { jsonResponse } from '../../http/respond.ts';
import { percentByVersion } from '../../releases/shares.ts';
import { STARTED } from '../encode-model.ts';
import { type Endpoint, findEndpoint, listEndpoints } from '../endpoint-models.ts';
import { jsonContent, type Operation, type ProtocolOptions, pathParameter } from '../operation.ts';
import { takePage } from '../paging.ts';
import { VERTEX_ENDPOINTS, VERTEX_LOCATION } from '../route-table.ts';
import { chooseModel } from './decode.ts';
import { encodeGoogleError } from './encode.ts';
import { endpointResponse, endpointsQuery, endpointsResponse } from './schemas.ts';

/** The path at which clients call an endpoint. */
export const ENDPOINT_PATH = `${VERTEX_ENDPOINTS}/{endpoint}`;

/**
 * Endpoints as resources. Clients list them, and the Python classes `aiplatform.Endpoint` and `PrivateEndpoint` read
 * one before they predict. This loads no model. Source: google/cloud/aiplatform/v1/endpoint_service.proto and
 * endpoint.proto; models.py of google-cloud-aiplatform.
 */
export function createResourceOperations(options: ProtocolOptions): readonly Operation[] {
  return [
    {
      method: 'GET',
      path: VERTEX_ENDPOINTS,
      summary: 'List the endpoints',
      query: endpointsQuery,
      response: jsonContent(endpointsResponse),
      encodeError: encodeGoogleError,
      handle: (c) => answerList(c, options),
    },
    {
      method: 'GET',
      path: ENDPOINT_PATH,
      summary: 'Describe an endpoint with the versions of its model',
      response: jsonContent(endpointResponse),
      encodeError: encodeGoogleError,
      handle: (c) => answerOne(c, options),
    },
  ];
}

/**
 * All else below a location, such as its models, and what creates or changes an endpoint: Google's clients read no other
 * error than theirs. Words and verbs of other operations go before.
 */
export function createOtherResources(): readonly Operation[] {
  return ['/{collection}', '/{collection}/{item}'].map((path) => ({
    method: 'ALL',
    path: VERTEX_LOCATION + path,
    isLegacy: true,
    encodeError: encodeGoogleError,
    handle: refuseResource,
  }));
}

/** Endpoints exist and cannot be changed; other resources do not exist. */
function refuseResource(c: Context<AppEnvironment>): never {
  if (c.req.param('collection') === 'endpoints') {
    throw new InferenceError(
      'METHOD_NOT_ALLOWED',
      'Endpoints are the models of the repository: they can be listed and read, and not be created or changed here.',
      { headers: { allow: 'GET, HEAD' } },
    );
  }
  throw new InferenceError(
    'NOT_IMPLEMENTED',
    'Below a location there are endpoints that can be listed, read and asked to predict; GET /models lists models.',
  );
}

async function answerList(c: Context<AppEnvironment>, options: ProtocolOptions): Promise<Response> {
  const wanted = readFilter(c.req.query('filter') ?? '');
  const found = (await listEndpoints(options, c.env.budget)).filter(({ name }) => wanted(name));
  const names = { limit: 'pageSize', token: 'pageToken' };
  const { items, nextPageToken } = takePage(found, c.req.query(), names);
  const endpoints = items.map((each) => describeEndpoint(c, each.name, each, options));
  return jsonResponse({ endpoints, nextPageToken }, 200, PRIVATE);
}

async function answerOne(c: Context<AppEnvironment>, options: ProtocolOptions): Promise<Response> {
  const name = pathParameter(c, 'endpoint') ?? '';
  const { model = options.config.defaultModel, version } = await chooseModel(c, options);
  const { repository } = options.inference;
  const endpoint =
    model === undefined ? undefined : await findEndpoint(name, { model, version }, repository, c.env.budget);
  return jsonResponse(describeEndpoint(c, name, endpoint, options), 200, PRIVATE);
}

/** Addresses in it are correct only for this client. */
const PRIVATE = { 'cache-control': 'no-store' };

const NAME_FILTER = /^\s*(?:display_?name|endpoint)\s*=\s*(?:"([^"]*)"|([^\s"]+))\s*$/i;
const LABEL_FILTER = /^\s*labels[.:]/;

/**
 * Which endpoints a list contains. Source: ListEndpointsRequest of endpoint_service.proto.
 *
 * @throws InferenceError for filters that do not apply to the endpoints here
 */
function readFilter(filter: string): (name: string) => boolean {
  if (filter.trim() === '') return () => true;
  // Users of Vertex AI set labels; models here have no labels.
  if (LABEL_FILTER.test(filter)) return () => false;
  const [, quoted, plain] = NAME_FILTER.exec(filter) ?? [];
  const wanted = quoted ?? plain;
  if (wanted !== undefined) return (name) => name === wanted;
  throw invalid(
    'Parameter "filter"',
    `is ${JSON.stringify(filter.slice(0, 100))}; expected display_name="..." or endpoint="...".`,
  );
}

/**
 * Requests go to the live version and to those of a split, or to the one of `ENDPOINT_MODELS`. The Python class reads the resource again each
 * time if it has no `createTime`; it is the time at which this instance started.
 *
 * @param endpoint undefined if the input of a request decides the model
 */
function describeEndpoint(
  c: Context<AppEnvironment>,
  name: string,
  endpoint: Endpoint | undefined,
  { config }: ProtocolOptions,
) {
  const { project, location } = c.req.param();
  const parent = `projects/${project}/locations/${location}`;
  const isPrivate = isForPrivateEndpoint(c.req.raw.headers);
  const container = `${originOf(c.req.raw, config.basePath)}/v1/endpoints/${name}/deployedModels`;
  const describeVersion = (model: string, version: string) => ({
    id: version,
    displayName: model,
    model: `${parent}/models/${model}`,
    modelVersionId: version,
    createTime: STARTED,
    ...(isPrivate && {
      privateEndpoints: {
        predictHttpUri: `${container}/${version}:predict`,
        healthHttpUri: `${container}/${version}`,
      },
    }),
  });
  return {
    name: `${parent}/endpoints/${name}`,
    displayName: name,
    deployedModels: endpoint
      ? orderVersions(endpoint, isPrivate).map((version) => describeVersion(endpoint.model.name, version))
      : [],
    trafficSplit: endpoint ? splitOf(endpoint) : {},
    createTime: STARTED,
    updateTime: STARTED,
    ...(isPrivate && { network: `projects/${project}/global/networks/default` }),
  };
}

/** The share of each version in percent; all of the requests, if the endpoint stands for one version. */
function splitOf({ model, version }: Endpoint): Readonly<Record<string, number>> {
  const { serving, liveVersion } = model;
  if (!serving || version !== liveVersion) return { [version]: 100 };
  return Object.fromEntries(percentByVersion({ ...model, serving }));
}

/** A private endpoint has one deployed model, so the class uses the first in the list. */
function orderVersions({ model: { versions }, version }: Endpoint, isPrivate: boolean): readonly string[] {
  return isPrivate ? [version, ...versions.filter((each) => each !== version)] : versions;
}

/**
 * Whether the class `PrivateEndpoint` sends the request. It accepts only endpoints with a network, and `Endpoint.list`
 * only those without. The SDK says which of its classes makes a request. Source: `_TOP_GOOGLE_CONSTRUCTOR_METHOD_TAG`
 * in initializer.py of google-cloud-aiplatform.
 */
function isForPrivateEndpoint(headers: Headers): boolean {
  return /\bPrivateEndpoint\b/.test(headers.get('x-goog-api-client') ?? '');
}
