import type { Context } from 'aws-lambda';
import type { App } from '../../shared/app.ts';
import { createContext } from '../host.ts';
import { isDirectInvoke, toPredictRequest } from './direct-invoke.ts';
import { parseHttpEvent, requestIdOf, toRequest } from './events.ts';
import { isTooLarge, tooLarge, toResult } from './results.ts';
import { UnknownEventError } from './unknown-event.ts';

export type LambdaHandler = (event: unknown, context: Pick<Context, 'awsRequestId'>) => Promise<unknown>;

/**
 * Serves the app as a Lambda function behind API Gateway, a Function URL, a load balancer, or invoked directly. What
 * HTTP and a direct invoke ask for is answered, mistakes too; any other event makes it reject with UnknownEventError.
 */
export function createLambdaHandler(app: App): LambdaHandler {
  return async (event, { awsRequestId }) => {
    const http = parseHttpEvent(event);
    if (http) {
      const requestId = requestIdOf(http) ?? awsRequestId;
      const result = await toResult(http, await answer(app, () => toRequest(http), requestId));
      if (!isTooLarge(result)) return result;
      return await toResult(http, app.refuse(tooLarge(), createContext(new Headers(), requestId)));
    }
    if (isDirectInvoke(event)) {
      // It has no status: its caller gets the plain value, and errors carry their status in `code`.
      return await (await answer(app, () => toPredictRequest(event), awsRequestId)).json();
    }
    throw new UnknownEventError(event);
  };
}

/** An event may have parts that make no request, which is the caller's mistake. */
async function answer(app: App, makeRequest: () => Request, requestId: string): Promise<Response> {
  let request: Request;
  try {
    request = makeRequest();
  } catch (thrown) {
    return app.refuse(thrown, createContext(new Headers(), requestId));
  }
  return await app.fetch(request, createContext(request.headers, requestId));
}
