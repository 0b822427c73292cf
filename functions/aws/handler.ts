import type { Context } from 'aws-lambda';
import type { App } from '../../shared/app.ts';
import { createContext } from '../host.ts';
import { toPlainResult, toPredictRequest } from './direct-invoke.ts';
import { parseHttpEvent, requestIdOf, toRequest } from './events.ts';
import { toResult } from './results.ts';

export type LambdaHandler = (event: unknown, context: Pick<Context, 'awsRequestId'>) => Promise<unknown>;

/** Serves the app as a Lambda function behind API Gateway, a Function URL, a load balancer, or invoked directly. */
export function createLambdaHandler(app: App): LambdaHandler {
  return async (event, { awsRequestId }) => {
    const http = parseHttpEvent(event);
    const request = http ? toRequest(http) : toPredictRequest(event);
    const requestId = (http && requestIdOf(http)) ?? awsRequestId;
    const response = await app.fetch(request, createContext(request.headers, requestId));
    return http ? await toResult(http, response) : await toPlainResult(response);
  };
}
