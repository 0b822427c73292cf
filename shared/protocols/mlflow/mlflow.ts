import * as z from 'zod';
import { BytesResponse } from '../../http/bytes.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import { readInvocation, type SharedRoutes } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { invokeMlflow } from './invoke-mlflow.ts';
import { scoringRequest, scoringResponse } from './schemas.ts';

/**
 * MLflow's scoring server and the serving endpoints of Databricks.
 * Sources: mlflow.pyfunc.scoring_server and its client; the Databricks SDK for Python.
 */
export function createMlflowProtocol(options: ProtocolOptions, shared: SharedRoutes): Protocol {
  return {
    name: 'mlflow',
    description: "MLflow's scoring server, and the serving endpoints of Databricks.",
    operations: [shared.ping, createVersion(options), shared.invocations, createServingEndpoint(options)],
  };
}

/** MLflow gives its version as plain text. It calls that JSON; here it is called what it is. */
function createVersion({ version }: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path: '/version',
    summary: 'Version of this server, as plain text',
    response: { 'text/plain': z.string() },
    handle: () =>
      new BytesResponse(Buffer.from(version), {
        status: 200,
        headers: { 'content-type': 'text/plain' },
      }),
  };
}

function createServingEndpoint(options: ProtocolOptions): Operation {
  return {
    method: 'POST',
    path: '/serving-endpoints/{endpoint}/invocations',
    summary: 'Run the model behind a serving endpoint, as the SDKs of Databricks do',
    request: { 'application/json': scoringRequest, 'text/csv': null },
    response: { 'application/json': scoringResponse },
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
