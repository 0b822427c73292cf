import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { MOST_ANSWER_BYTES, MOST_EXTENSIONS, MOST_STREAM_BYTES } from './lambda-limits.ts';
import { portOf } from './port-of.ts';

/** One event on its way through the function. */
export interface PendingInvocation {
  readonly requestId: string;
  readonly payload: Buffer;
  readonly deadlineMs: number;
  readonly clientContext: string | undefined;
  answer?: Answer;
}

/** The result of the function for an event. */
export interface Answer {
  readonly isError: boolean;
  readonly payload: Buffer;
  /** As Lambda logs it, such as `Runtime.ExitError`. */
  readonly errorType?: string;
  readonly contentType: string | undefined;
  readonly isStreamed: boolean;
  /** How the bytes arrived, in milliseconds since the answer began. */
  readonly chunks: readonly { readonly atMs: number; readonly bytes: number }[];
}

/** Why an environment has to end. */
export interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
}

export interface Extension {
  readonly id: string;
  readonly name: string;
  readonly isInternal: boolean;
  readonly events: ReadonlySet<string>;
  /** It has asked for its next event and waits. */
  waiting: ServerResponse | undefined;
}

/** What happens in one environment, as its two APIs see it. */
export interface Sandbox {
  readonly functionName: string;
  readonly functionArn: string;
  readonly handler: string;
  /** Extensions that are processes of their own; all others are a part of the runtime. */
  readonly externalNames: readonly string[];
  readonly extensions: Map<string, Extension>;
  /** The runtime has asked for its next event and waits. */
  waiting: ServerResponse | undefined;
  /** The runtime has asked for an event before. */
  isInitialized: boolean;
  current: PendingInvocation | undefined;
  failure: Failure | undefined;
  /** Called after each change. */
  changed: () => void;
}

export interface LambdaApi {
  /** `127.0.0.1:1234`, the value of AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves the APIs between Lambda and what runs in an environment.
 * Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes" and "Using the Lambda Extensions
 * API to create extensions".
 */
export async function serveLambdaApi(sandbox: Sandbox): Promise<LambdaApi> {
  const server = createServer((request, response) => {
    // The process that asks may be killed in the middle of a request.
    route(sandbox, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${portOf(server)}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function route(sandbox: Sandbox, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = `${request.method} ${request.url}`;
  if (path === 'GET /2018-06-01/runtime/invocation/next') return waitForInvocation(sandbox, response);
  if (path === 'POST /2018-06-01/runtime/init/error') return takeFailure(sandbox, request, response);
  const [, id, kind] = /^POST \/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
  if (id !== undefined)
    return takeAnswer(sandbox, decodeURIComponent(id), kind === 'error', request, response);
  if (path === 'POST /2020-01-01/extension/register') return register(sandbox, request, response);
  const extensionPath = /^(?:GET|POST) \/2020-01-01\/extension\/(event\/next|init\/error|exit\/error)$/.exec(
    path,
  );
  if (!extensionPath) return refuse(response, 404, 'NotFound', `There is no ${path}.`);
  const extension = sandbox.extensions.get(String(request.headers['lambda-extension-identifier']));
  if (!extension) return refuse(response, 403, 'Extension.UnknownExtensionIdentifier', 'Unknown extension.');
  if (extensionPath[1] !== 'event/next') return takeFailure(sandbox, request, response);
  extension.waiting = response;
  sandbox.changed();
}

function waitForInvocation(sandbox: Sandbox, response: ServerResponse): void {
  if (sandbox.current && !sandbox.current.answer) {
    refuse(response, 403, 'InvalidStateTransition', 'The last event has no answer yet.');
    return;
  }
  sandbox.isInitialized = true;
  sandbox.waiting = response;
  sandbox.changed();
}

/** Hands the event to the runtime, and says so to the extensions that asked for it. */
export function deliver(sandbox: Sandbox, invocation: PendingInvocation): void {
  const { requestId, payload, deadlineMs, clientContext } = invocation;
  const trace = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${requestId.replaceAll('-', '').slice(0, 24)};Sampled=0`;
  sandbox.current = invocation;
  for (const extension of sandbox.extensions.values()) {
    if (!extension.events.has('INVOKE')) continue;
    notify(extension, {
      eventType: 'INVOKE',
      deadlineMs,
      requestId,
      invokedFunctionArn: sandbox.functionArn,
      tracing: { type: 'X-Amzn-Trace-Id', value: trace },
    });
  }
  sandbox.waiting?.writeHead(200, {
    'content-type': 'application/json',
    'content-length': payload.length,
    'lambda-runtime-aws-request-id': requestId,
    'lambda-runtime-deadline-ms': String(deadlineMs),
    'lambda-runtime-invoked-function-arn': sandbox.functionArn,
    'lambda-runtime-trace-id': trace,
    ...(clientContext !== undefined && { 'lambda-runtime-client-context': clientContext }),
  });
  sandbox.waiting?.end(payload);
  sandbox.waiting = undefined;
}

/** Answers an extension that waits for its next event. */
export function notify(extension: Extension, event: Readonly<Record<string, unknown>>): void {
  if (extension.waiting) sendJson(extension.waiting, 200, event);
  extension.waiting = undefined;
}

async function takeAnswer(
  sandbox: Sandbox,
  id: string,
  isError: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { current } = sandbox;
  if (current?.requestId !== id)
    return refuse(response, 400, 'InvalidRequestID', `No event has the id ${id}.`);
  if (current.answer)
    return refuse(response, 403, 'InvalidStateTransition', 'The event has an answer already.');
  const isStreamed = request.headers['lambda-runtime-function-response-mode'] === 'streaming';
  const most = isStreamed ? MOST_STREAM_BYTES : MOST_ANSWER_BYTES;
  const body = await readAnswer(request, most);
  const common = { contentType: request.headers['content-type'], isStreamed, chunks: body.chunks };
  if (body.isTooLarge) {
    const message = `Response payload size exceeded maximum allowed payload size (${most} bytes).`;
    refuse(response, 413, 'RequestEntityTooLarge', message);
    current.answer = { ...common, ...failed('Function.ResponseSizeTooLarge', message) };
  } else {
    // A stream that fails has sent its status long ago, so the error comes after it.
    const type = (isStreamed ? request.trailers : request.headers)['lambda-runtime-function-error-type'];
    sendJson(response, 202, { status: 'OK' });
    current.answer = {
      ...common,
      isError: isError || (isStreamed && type !== undefined),
      payload: body.payload,
      ...(type !== undefined && { errorType: String(type) }),
    };
  }
  sandbox.changed();
}

/** An answer that Lambda makes itself. */
export function failed(
  errorType: string,
  errorMessage: string,
): Pick<Answer, 'isError' | 'payload' | 'errorType'> {
  return { isError: true, errorType, payload: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
}

async function readAnswer(request: IncomingMessage, most: number) {
  const startMs = performance.now();
  const chunks: { readonly atMs: number; readonly bytes: number }[] = [];
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    const bytes: Buffer = part;
    chunks.push({ atMs: performance.now() - startMs, bytes: bytes.length });
    length += bytes.length;
    if (length <= most) parts.push(bytes);
  }
  return { chunks, isTooLarge: length > most, payload: Buffer.concat(parts) };
}

async function takeFailure(
  sandbox: Sandbox,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = (await buffer(request)).toString();
  const { errorType = 'Unhandled', errorMessage = '' } = parseObject(body) ?? {};
  sandbox.failure ??= { errorType: String(errorType), errorMessage: String(errorMessage) };
  sendJson(response, 202, { status: 'OK' });
  sandbox.changed();
}

async function register(sandbox: Sandbox, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = request.headers['lambda-extension-name'];
  const { events } = parseObject((await buffer(request)).toString()) ?? {};
  if (typeof name !== 'string')
    return refuse(response, 403, 'Extension.InvalidExtensionName', 'It has no name.');
  if (!Array.isArray(events))
    return refuse(response, 400, 'InvalidRequestFormat', 'It has no list of events.');
  const isInternal = !sandbox.externalNames.includes(name);
  const wrong = events.find((event) => event !== 'INVOKE' && (event !== 'SHUTDOWN' || isInternal));
  if (wrong === 'SHUTDOWN') {
    const type = 'ShutdownEventNotSupportedForInternalExtension';
    return refuse(response, 403, type, 'SHUTDOWN is not for extensions in the runtime.');
  }
  if (wrong !== undefined) return refuse(response, 403, 'Extension.InvalidEventType', `No event ${wrong}.`);
  if (sandbox.isInitialized) return refuse(response, 403, 'Extension.RegistrationClosed', 'Init is over.');
  const registered = [...sandbox.extensions.values()];
  if (registered.some((each) => each.name === name))
    return refuse(response, 403, 'Extension.AlreadyRegistered', `${name} is registered.`);
  if (registered.length >= MOST_EXTENSIONS)
    return refuse(response, 403, 'Extension.TooManyExtensions', `There are ${MOST_EXTENSIONS} already.`);
  const id = randomUUID();
  sandbox.extensions.set(id, { id, name, isInternal, events: new Set(events), waiting: undefined });
  response.setHeader('lambda-extension-identifier', id);
  sendJson(response, 200, {
    functionName: sandbox.functionName,
    functionVersion: '$LATEST',
    handler: sandbox.handler,
  });
  sandbox.changed();
}

function refuse(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  sendJson(response, status, { errorType, errorMessage });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
