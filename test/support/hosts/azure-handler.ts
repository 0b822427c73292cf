import { HttpRequest, InvocationContext } from '@azure/functions';
import type { TestHost } from './test-host.ts';

/** Calls a handler as Azure's library does, with the objects of that library. */
export function openHandler(
  handler: (request: HttpRequest, context: InvocationContext) => Promise<unknown>,
): TestHost {
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
      const result = await handler(request, context);
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
