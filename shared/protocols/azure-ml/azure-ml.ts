import type { Context } from 'hono';
import { InferenceError } from '../../errors.ts';
import type { Answer, AppEnvironment, ErrorEncoder } from '../../http/context.ts';
import { errorResponse } from '../../http/respond.ts';
import { answerWith } from '../answer.ts';
import { jsonArray } from '../body/envelope.ts';
import { respondHealth } from '../catalog.ts';
import { readDeployment } from '../headers/target.ts';
import { readInvocation } from '../invocation.ts';
import type { Protocol, ProtocolOptions } from '../operation.ts';
import { invokeAzureMl } from './invoke-azure-ml.ts';
import { scoreHeaders, scoreRequest } from './schemas.ts';

/** Longest id of a request, in characters, as in Azure ML's server. */
const LONGEST_ID = 100;

const ID_HEADERS = ['x-request-id', 'x-ms-request-id', 'x-ms-client-request-id'] as const;

/**
 * The scoring route of Azure ML's online endpoints, with the headers of its inference server.
 * Source: azureml-inference-server-http, server/routes.py.
 */
export function createAzureMlProtocol(options: ProtocolOptions): Protocol {
  return {
    name: 'azure-ml',
    description: 'Scoring as on an online endpoint of Azure ML.',
    operations: [
      {
        method: 'POST',
        path: '/score',
        summary: 'Score with the default model',
        headers: scoreHeaders,
        request: { 'application/json': scoreRequest, 'image/*': null },
        response: { 'application/json': jsonArray },
        handle: (c) => score(c, options),
      },
      {
        method: 'GET',
        path: '/score',
        summary: 'Whether the server is well',
        handle: () => respondHealth(options),
      },
    ],
  };
}

async function score(c: Context<AppEnvironment>, options: ProtocolOptions): Promise<Answer> {
  const { headers } = c.req.raw;
  const { requestId } = c.env.context;
  const ids = echoIds(headers, requestId);
  const encodeError: ErrorEncoder = (error) =>
    mark(errorResponse(error, requestId), { ...ids, ...describeFailure(error.status >= 500) });
  return await answerWith(requestId, encodeError, async () => {
    checkIds(headers);
    const invocation = await readInvocation(c, options, { version: readDeployment(headers) });
    const answer = await invokeAzureMl(invocation, options);
    const time = { 'x-ms-run-fn-exec-ms': (answer.usage?.runMs ?? 0).toFixed(3) };
    mark(answer.response, { ...ids, ...time, ...describeFailure(false) });
    return answer;
  });
}

function describeFailure(hasFailed: boolean): Record<string, string> {
  return { 'x-ms-run-function-failed': hasFailed ? 'True' : 'False' };
}

function checkIds(headers: Headers): void {
  const tooLong = ID_HEADERS.find((name) => (headers.get(name) ?? '').length > LONGEST_ID);
  if (tooLong === undefined) return;
  const length = headers.get(tooLong)?.length;
  throw new InferenceError(
    'HEADER_TOO_LARGE',
    `Header ${tooLong} has ${length} characters; the limit is ${LONGEST_ID}.`,
  );
}

/** The id a client gives under one of two names comes back under both; without one there is the server's own. */
function echoIds(headers: Headers, requestId: string): Record<string, string> {
  const legacy = shortHeader(headers, 'x-ms-request-id');
  const client = shortHeader(headers, 'x-ms-client-request-id') ?? legacy;
  const ids = { 'x-ms-request-id': legacy ?? client ?? requestId };
  return client === undefined ? ids : { ...ids, 'x-ms-client-request-id': client };
}

function shortHeader(headers: Headers, name: string): string | undefined {
  const value = headers.get(name);
  return value === null || value === '' || value.length > LONGEST_ID ? undefined : value;
}

function mark(response: Response, headers: Readonly<Record<string, string>>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
