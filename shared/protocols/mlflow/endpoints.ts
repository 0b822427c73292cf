import type { Context } from 'hono';
import { InferenceError } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { originOf } from '../../http/origin.ts';
import { jsonResponse } from '../../http/respond.ts';
import { readTask } from '../catalog.ts';
import { STARTED } from '../encode-model.ts';
import { type Endpoint, findEndpoint, listEndpoints, modelOfEndpoint } from '../endpoint-models.ts';
import { jsonContent, type Operation, type ProtocolOptions } from '../operation.ts';
import * as schemas from './schemas.ts';

const GATEWAY = '/api/2.0/endpoints';
const SERVING = '/api/2.0/serving-endpoints';

/**
 * Endpoints as resources. `mlflow.deployments` reads them from MLflow's gateway; it and the SDKs of Databricks also
 * read them from Databricks. This loads no model. Sources: mlflow/deployments/mlflow and
 * mlflow/deployments/server/config.py of MLflow; service/serving.py of the Databricks SDK for Python.
 */
export function createEndpointOperations(options: ProtocolOptions): readonly Operation[] {
  const find = async (c: Context<AppEnvironment>) => {
    const name = c.req.param('endpoint') ?? '';
    const choice = modelOfEndpoint(name, options.config);
    return await findEndpoint(name, choice, options.inference.repository, c.env.budget);
  };
  return [
    {
      method: 'GET',
      path: GATEWAY,
      summary: "List the endpoints, as MLflow's gateway does",
      response: jsonContent(schemas.gatewayEndpoints),
      handle: async (c) => {
        const found = await listEndpoints(options, c.env.budget);
        const endpoints = await Promise.all(found.map((each) => describeForGateway(each, options)));
        return jsonResponse({ endpoints });
      },
    },
    {
      method: 'GET',
      path: `${GATEWAY}/{endpoint}`,
      summary: "Describe an endpoint, as MLflow's gateway does",
      response: jsonContent(schemas.gatewayEndpoint),
      handle: async (c) => jsonResponse(await describeForGateway(await find(c), options)),
    },
    {
      method: 'GET',
      path: SERVING,
      summary: 'List the serving endpoints, as Databricks does',
      response: jsonContent(schemas.servingEndpoints),
      handle: async (c) => {
        const found = await listEndpoints(options, c.env.budget);
        const endpoints = await Promise.all(found.map((each) => describeServing(each, options)));
        return jsonResponse({ endpoints });
      },
    },
    {
      method: 'GET',
      path: `${SERVING}/{endpoint}`,
      summary: 'Describe a serving endpoint, as Databricks does',
      response: jsonContent(schemas.servingEndpointDetails),
      handle: async (c) => describeInDetail(await find(c), c, options),
    },
    {
      method: 'ALL',
      path: `${SERVING}/{endpoint}/{part}`,
      isLegacy: true,
      handle: refusePart,
    },
  ];
}

/** Its metrics, its description, its logs, and routes that change it. */
function refusePart(): never {
  throw new InferenceError(
    'NOT_IMPLEMENTED',
    'Endpoints stand for models here: they cannot be changed, and have no metrics, logs or description of their own. GET /models/{model} and GET /openapi.json describe models.',
  );
}

async function taskOf({ model: { name }, version }: Endpoint, { inference }: ProtocolOptions) {
  const { task } = await readTask({ name, version }, inference);
  return task ?? 'unknown';
}

async function describeForGateway(endpoint: Endpoint, options: ProtocolOptions) {
  const { name, model, version } = endpoint;
  return {
    name,
    endpoint_type: await taskOf(endpoint, options),
    model: { name: model.name, provider: 'ternion', version },
    endpoint_url: `/endpoints/${name}/invocations`,
    limit: null,
  };
}

async function describeServing(endpoint: Endpoint, options: ProtocolOptions) {
  const { name, model, version } = endpoint;
  const state = options.inference.state({ name: model.name, version });
  const served = `${model.name}-${version}`;
  const startedMs = Date.parse(STARTED);
  return {
    id: name,
    name,
    task: await taskOf(endpoint, options),
    creation_timestamp: startedMs,
    last_updated_timestamp: startedMs,
    state: {
      ready: state === 'failed' || state === 'unloaded' ? 'NOT_READY' : 'READY',
      config_update: 'NOT_UPDATING',
    },
    config: {
      served_entities: [{ name: served, entity_name: model.name, entity_version: version }],
      traffic_config: { routes: [{ served_model_name: served, traffic_percentage: 100 }] },
    },
  };
}

/** Includes the full address of the endpoint, which the data plane needs. */
async function describeInDetail(
  endpoint: Endpoint,
  c: Context<AppEnvironment>,
  options: ProtocolOptions,
): Promise<Response> {
  const { name } = endpoint;
  const url = `${originOf(c.req.raw, options.config.basePath)}/serving-endpoints/${name}/invocations`;
  const details = [{ type: 'workspace_permission', object_type: 'serving-endpoints', object_path: name }];
  const body = {
    ...(await describeServing(endpoint, options)),
    endpoint_url: url,
    permission_level: 'CAN_QUERY',
    route_optimized: true,
    data_plane_info: {
      query_info: { authorization_details: JSON.stringify(details), endpoint_url: url },
    },
  };
  return jsonResponse(body, 200, { 'cache-control': 'no-store' });
}
