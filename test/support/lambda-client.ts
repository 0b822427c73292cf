// The least that runs a function on Lambda: asks for events, calls the handler, sends what it gives. It stands in for
// AWS's own client, whose package builds C++ code when it is installed; that one runs in test/real/lambda-ric.
// Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const { AWS_LAMBDA_RUNTIME_API: api = '', LAMBDA_TASK_ROOT: folder = '', _HANDLER: name = '' } = process.env;
const [file = '', exported = ''] = name.split('.');

const handler = await load().catch(async (error: unknown) => {
  await sendError('init/error', error);
  process.exit(1);
});
for (;;) {
  const incoming = await send('GET', 'invocation/next');
  const event: unknown = JSON.parse(await text(incoming));
  const id = String(incoming.headers['lambda-runtime-aws-request-id']);
  const deadlineMs = Number(incoming.headers['lambda-runtime-deadline-ms']);
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadlineMs - Date.now() };
  try {
    const result: unknown = await handler(event, context);
    await sendJson(`invocation/${id}/response`, result ?? null);
  } catch (error) {
    await sendError(`invocation/${id}/error`, error);
  }
}

async function load(): Promise<(event: unknown, context: object) => unknown> {
  const module = await import(pathToFileURL(join(folder, `${file}.mjs`)).href);
  if (typeof module[exported] !== 'function') throw new Error(`${name} is not exported`);
  return module[exported];
}

async function sendError(path: string, error: unknown): Promise<void> {
  const {
    name: errorType,
    message: errorMessage,
    stack = '',
  } = error instanceof Error ? error : new Error(String(error));
  console.error(error);
  const headers = { 'lambda-runtime-function-error-type': errorType };
  await sendJson(path, { errorType, errorMessage, stackTrace: stack.split('\n') }, headers);
}

async function sendJson(path: string, value: unknown, headers: Readonly<Record<string, string>> = {}) {
  const body = Buffer.from(JSON.stringify(value));
  (await send('POST', path, body, { ...headers, 'content-type': 'application/json' })).resume();
}

function send(
  method: string,
  path: string,
  body: Buffer = Buffer.alloc(0),
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = `http://${api}/2018-06-01/runtime/${path}`;
    const sized = { ...headers, ...(method === 'POST' && { 'content-length': String(body.length) }) };
    request(url, { method, headers: sized }, resolve).on('error', reject).end(body);
  });
}
