import type { Context } from 'aws-lambda';
import type { App } from '../../shared/app.ts';
import { InferenceError } from '../../shared/errors.ts';
import { errorResponse } from '../../shared/http/respond.ts';
import { createContext } from '../host.ts';
import { toPredictRequest } from './direct-invoke.ts';
import { parseHttpEvent, requestIdOf, toRequest } from './events.ts';
import { toResult } from './results.ts';

export type LambdaHandler = (event: unknown, context: Pick<Context, 'awsRequestId'>) => Promise<unknown>;

/** Serves the app as a Lambda function behind API Gateway, a Function URL, a load balancer, or invoked directly. */
export function createLambdaHandler(app: App): LambdaHandler {
  return async (event, { awsRequestId }) => {
    const http = parseHttpEvent(event);
    if (!http) return await (await answerInvoke(app, event, awsRequestId)).json();
    const request = toRequest(http);
    const requestId = requestIdOf(http) ?? awsRequestId;
    return await toResult(http, await app.fetch(request, createContext(request.headers, requestId)));
  };
}

/** The answer is a plain value: a caller without HTTP gets no status, but errors carry theirs in `code`. */
async function answerInvoke(app: App, payload: unknown, requestId: string): Promise<Response> {
  try {
    const request = toPredictRequest(payload);
    return await app.fetch(request, createContext(request.headers, requestId));
  } catch (error) {
    if (error instanceof InferenceError) return errorResponse(error, requestId);
    throw error;
  }
}
