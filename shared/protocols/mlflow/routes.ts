import * as z from 'zod/mini';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { encodeColumns, encodeRows } from '../../answers/predictions.ts';
import { BytesResponse } from '../../http/bytes.ts';
import { loadOnce } from '../../memo.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { lazily } from '../body/lazily.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import { type Dialect, readInvocation, type SharedRoutes } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { runPayload } from '../run-payload.ts';
import { readData } from './decode.ts';
import { encodeOutputs, encodeRecords } from './encode.ts';
import { createEndpointOperations } from './endpoints.ts';
import { scoringRequest, scoringResponse, vectorsRequest, vectorsResponse } from './schemas.ts';
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
      ...['/api/2.0/mlflow/*', '/api/2.0/ternion/*'].map((path) => createRegistryCalls(path, options)),
    ],
  };
}

/** The registry has a table of its own: most servers need none of its calls. */
function createRegistryCalls(path: string, { config, registry }: ProtocolOptions): Operation {
  const adminKey = registry && config.adminKey;
  const open = loadOnce(async () => {
    if (!registry) throw new Error('a server without a registry was asked for it');
    return (await import('../../registry/registry.ts')).createRegistry(await registry());
  });
  return {
    method: 'ALL',
    path,
    isAdmin: true,
    handle: async (c) => (await import('./registry.ts')).answerRegistry(c, { adminKey, open }),
  };
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

const servingRequest = lazily(() => z.union([scoringRequest(), vectorsRequest()]));
const servingResponse = lazily(() => z.union([scoringResponse(), vectorsResponse()]));

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
