import * as z from 'zod/mini';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { encodeColumns, encodeRows } from '../../answers/predictions.ts';
import { BytesResponse } from '../../http/bytes.ts';
import { loadOnce } from '../../memo.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { lazily } from '../body/lazily.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import { type Dialect, readInvocation, type SharedRoutes } from '../invocation.ts';
import { jsonContent, type Operation, type Protocol, type ProtocolOptions } from '../operation.ts';
import { RELEASES } from '../route-table.ts';
import { runPayload } from '../run-payload.ts';
import { readData } from './decode.ts';
import { encodeOutputs, encodeRecords } from './encode.ts';
import { createEndpointOperations } from './endpoints.ts';
import * as schemas from './schemas.ts';
import { createSignInOperations } from './sign-in.ts';
import { answerVectors, asksForVectors } from './vectors.ts';

/**
 * MLflow's scoring server and the serving endpoints of Databricks.
 * Sources: mlflow.pyfunc.scoring_server and its client; the Databricks SDK for Python.
 */
export function createMlflowProtocol(options: ProtocolOptions, shared: SharedRoutes): Protocol {
  return {
    name: 'mlflow',
    description: "MLflow's scoring server, and the serving endpoints of Databricks.",
    operations: [
      shared.ping,
      createVersion(options),
      shared.invocations,
      createServingEndpoint(options),
      ...createEndpointOperations(options),
      ...createSignInOperations(options),
      ...createRegistryOperations(options),
    ],
  };
}

/**
 * The registry, with a table of its own: most servers need none of its calls. Those that change releases are described,
 * because nobody else describes them.
 */
function createRegistryOperations({ config, registry }: ProtocolOptions): readonly Operation[] {
  const adminKey = registry && config.adminKey;
  const open = loadOnce(async () => {
    if (!registry) throw new Error('a server without a registry was asked for it');
    return (await import('../../registry/registry.ts')).createRegistry(await registry());
  });
  const call = {
    isAdmin: true,
    handle: async (c) => (await import('./registry.ts')).answerRegistry(c, { adminKey, open }),
  } satisfies Pick<Operation, 'isAdmin' | 'handle'>;
  const described: readonly Operation[] = [
    {
      method: 'GET',
      path: `${RELEASES}/history`,
      summary: 'List the changes of a model, who made them and why, for holders of the ADMIN_KEY',
      query: schemas.historyQuery,
      response: jsonContent(schemas.historyResponse),
      ...call,
    },
    {
      method: 'POST',
      path: `${RELEASES}/rollback`,
      summary: 'Make a model as it was after an earlier change, for holders of the ADMIN_KEY',
      request: jsonContent(schemas.rollbackRequest),
      response: jsonContent(schemas.changedModel),
      ...call,
    },
    {
      method: 'POST',
      path: `${RELEASES}/promote`,
      summary: 'Make a version live, for holders of the ADMIN_KEY',
      request: jsonContent(schemas.promoteRequest),
      response: jsonContent(schemas.changedModel),
      ...call,
    },
    {
      method: 'POST',
      path: `${RELEASES}/split`,
      summary: 'Change shares of the requests to a model, for holders of the ADMIN_KEY',
      request: jsonContent(schemas.splitRequest),
      response: jsonContent(schemas.changedModel),
      ...call,
    },
  ];
  return [
    ...(config.adminKey === undefined ? [] : described),
    { method: 'ALL', path: '/api/2.0/mlflow/*', ...call },
    { method: 'ALL', path: '/api/2.0/ternion/*', ...call },
  ];
}

/** MLflow gives its version as plain text. MLflow labels that as JSON; here it has the correct type. */
function createVersion({ version }: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path: '/version',
    summary: 'Get the version of this server, as plain text',
    response: { 'text/plain': z.string() },
    handle: () => new BytesResponse(version, { headers: { 'content-type': 'text/plain' } }),
  };
}

const servingRequest = lazily(() => z.union([schemas.scoringRequest(), schemas.vectorsRequest()]));
const servingResponse = lazily(() => z.union([schemas.scoringResponse(), schemas.vectorsResponse()]));

function createServingEndpoint(options: ProtocolOptions): Operation {
  return {
    method: 'POST',
    path: '/serving-endpoints/{endpoint}/invocations',
    summary: 'Run the model of a serving endpoint, as the SDKs of Databricks do',
    request: { 'application/json': servingRequest, 'text/csv': null },
    response: { 'application/json': servingResponse },
    handle: async (c) => {
      const choice = modelOfEndpoint(c.req.param('endpoint') ?? '', options.config);
      const answer = await invokeMlflow(await readInvocation(c, options, choice), options);
      const served = answer.usage?.reference;
      // The SDK reads the name of the served model out of this header.
      if (served) answer.response.headers.set('served-model-name', `${served.name}-${served.version}`);
      return answer;
    },
  };
}

/**
 * MLflow's scoring server, and model serving of Databricks: tables and tensors in, `predictions` out. The answer to
 * rows is a list, the answer to inputs has the outputs as the model gives them; a single output comes without its name.
 * MLflow's ONNX flavour always has names, and a list only for data frames. Source: mlflow.pyfunc.scoring_server.
 */
export const invokeMlflow: Dialect = async (invocation, options) => {
  if (asksForVectors(invocation)) return await answerVectors(invocation, options);
  const data = readData(invocation, options);
  const { value, usage } = await runPayload(invocation, options, data, ['mlflow']);
  const style = answerStyle(options.config);
  const { tensors, areRows, form } = value;
  const areListed = areRows && hasRows(tensors);
  const { isFrame, isRows } = data.value;
  const isOnnx = form === 'columns';
  const predictions = isOnnx
    ? (isFrame && areListed ? encodeRecords : encodeOutputs)(value, style)
    : isRows && areListed
      ? encodeRows(tensors, style)
      : encodeColumns(tensors, style);
  return { response: jsonAnswer({ predictions }, options.config), usage };
};

/** Outputs without an axis of rows are answered whole. */
function hasRows(outputs: NamedTensors): boolean {
  const [first] = outputs.values();
  return [...outputs.values()].every(({ shape }) => shape.length > 0 && shape[0] === first?.shape[0]);
}
