import { HttpRequest, InvocationContext } from '@azure/functions';
import type { TestHost } from './test-host.ts';

/** What a function app declared to the host about one function. */
export interface Registration {
  readonly metadata: unknown;
  readonly handler: (request: HttpRequest, context: InvocationContext) => Promise<unknown>;
}

/** Stands in for the module the Azure Functions worker supplies, and keeps what is registered. */
export function createAzureStandIn(): { readonly core: object; readonly registrations: Registration[] } {
  const registrations: Registration[] = [];
  const core = {
    version: '1.0.0',
    hostVersion: '4.1045.0',
    setProgrammingModel: () => undefined,
    registerHook: () => ({ dispose: () => undefined }),
    registerFunction: (metadata: unknown, handler: Registration['handler']) => {
      registrations.push({ metadata, handler });
      return { dispose: () => undefined };
    },
    log: () => undefined,
  };
  return { core, registrations };
}

/** Drives the one function of an app as the worker does. */
export function openRegistered(registrations: readonly Registration[]): TestHost {
  const [registration] = registrations;
  if (!registration || registrations.length > 1)
    throw new Error(`${registrations.length} functions are registered`);
  return {
    send: async ({ method, path, headers, body }) => {
      const request = new HttpRequest({
        method,
        url: `http://localhost${path}`,
        headers: { ...headers },
        ...(body.length > 0 && { body: { bytes: body } }),
      });
      const context = new InvocationContext({
        functionName: 'ternion',
        invocationId: 'invocation-id',
        logHandler: console.error,
      });
      const result = await registration.handler(request, context);
      return readResult(result, method);
    },
    close: () => Promise.resolve(),
  };
}

function readResult(result: unknown, method: string) {
  if (typeof result !== 'object' || result === null) throw new Error('the function answered nothing');
  const {
    status = 200,
    headers = {},
    body,
  }: { status?: unknown; headers?: unknown; body?: unknown } = result;
  if (typeof status !== 'number' || typeof headers !== 'object' || headers === null)
    throw new Error('not a response');
  if (body !== undefined && !(body instanceof Uint8Array)) throw new Error('the body is not bytes');
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: method === 'HEAD' ? Buffer.alloc(0) : Buffer.from(body ?? []),
  };
}
