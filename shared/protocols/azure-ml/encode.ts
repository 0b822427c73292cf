import { LONGEST_ID } from './decode.ts';

/** The id a client gives under one of two names comes back under both; without one there is the server's own. */
export function echoIds(headers: Headers, requestId: string): Record<string, string> {
  const legacy = shortHeader(headers, 'x-ms-request-id');
  const client = shortHeader(headers, 'x-ms-client-request-id') ?? legacy;
  const ids = { 'x-ms-request-id': legacy ?? client ?? requestId };
  return client === undefined ? ids : { ...ids, 'x-ms-client-request-id': client };
}

function shortHeader(headers: Headers, name: string): string | undefined {
  const value = headers.get(name);
  return value === null || value === '' || value.length > LONGEST_ID ? undefined : value;
}

/** Whether the model's code failed, as the server of Azure ML says it in a header. */
export function describeFailure(hasFailed: boolean): Record<string, string> {
  return { 'x-ms-run-function-failed': hasFailed ? 'True' : 'False' };
}

/** Sets headers of an answer. */
export function mark(response: Response, headers: Readonly<Record<string, string>>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
