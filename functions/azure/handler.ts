import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { InferenceError } from '../../shared/errors.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import type { RequestContext } from '../../shared/http/context.ts';
import { HeaderList } from '../../shared/http/header-list.ts';
import { errorResponse } from '../../shared/http/respond.ts';
import { createContext, createHost, type Host, type HostOptions, requestUrl } from '../host.ts';

/**
 * Serves the app as an HTTP function on Azure. The first request creates the app, because an error while the module
 * loads would leave a function app without functions and without a log.
 */
export function createAzureHandler(options: HostOptions): HttpHandler {
  let starting: Promise<Host> | undefined;

  async function start(): Promise<Host> {
    const host = createHost(options);
    await host.app.preload();
    return host;
  }

  return async (incoming: HttpRequest, invocation: InvocationContext): Promise<HttpResponseInit> => {
    const headers = new HeaderList([...incoming.headers]);
    // The host of the functions makes a span of its own for the request.
    const parent = invocation.traceContext?.traceParent;
    if (parent) headers.set('traceparent', parent);
    const context = createContext(headers, invocation.invocationId);
    // A failed start is not repeated, because the configuration cannot change while the process runs.
    starting ??= start();
    const host = await starting.catch((error: unknown) => {
      invocation.error('The app cannot start.', error);
      return undefined;
    });
    if (!host) return await toResult(startFailure(context));
    const result = await toResult(await host.app.fetch(await toRequest(incoming, headers), context));
    // The host keeps the process running after an answer, but has no event for when it was sent.
    setImmediate(() => void host.runWaitingWork(context));
    return result;
  };
}

async function toRequest(incoming: HttpRequest, headers: Headers): Promise<Request> {
  const { pathname, search } = new URL(incoming.url);
  const body = new Uint8Array(await incoming.arrayBuffer());
  return new BytesRequest(requestUrl(pathname + search), { method: incoming.method, headers }, body);
}

async function toResult(response: Response): Promise<HttpResponseInit> {
  const bytes = response.body === null ? undefined : await response.bytes();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    ...(bytes && { body: bytes }),
  };
}

function startFailure(context: RequestContext): Response {
  const text = 'The server cannot start because its configuration is not valid; the log says why.';
  return errorResponse(new InferenceError('TEMPORARILY_UNAVAILABLE', text), context.requestId);
}
