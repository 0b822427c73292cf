import type { Context } from 'aws-lambda';
import type { App } from '../../shared/app.ts';
import { createContext } from '../host.ts';
import { toPredictRequest } from './direct-invoke.ts';
import { parseHttpEvent, requestIdOf, toRequest } from './events.ts';
import { toResult } from './results.ts';

export type LambdaHandler = (event: unknown, context: Pick<Context, 'awsRequestId'>) => Promise<unknown>;

/** Serves the app as a Lambda function behind API Gateway, a Function URL, a load balancer, or invoked directly. */
export function createLambdaHandler(app: App): LambdaHandler {
  return async (event, { awsRequestId }) => {
    const http = parseHttpEvent(event);
    const requestId = (http && requestIdOf(http)) ?? awsRequestId;
    const response = await answer(app, () => (http ? toRequest(http) : toPredictRequest(event)), requestId);
    // A direct invoke has no status: its caller gets the plain value, and errors carry their status in `code`.
    return http ? await toResult(http, response) : await response.json();
  };
}

/** Anything can be invoked with any event: one that makes no request is the caller's mistake. */
async function answer(app: App, makeRequest: () => Request, requestId: string): Promise<Response> {
  let request: Request;
  try {
    request = makeRequest();
  } catch (thrown) {
    return app.refuse(thrown, createContext(new Headers(), requestId));
  }
  return await app.fetch(request, createContext(request.headers, requestId));
}
