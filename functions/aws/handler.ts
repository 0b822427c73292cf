import type { Context } from 'aws-lambda';
import { HeaderList } from '../../shared/http/header-list.ts';
import { createContext, type Host, type HostContext } from '../host.ts';
import { isDirectInvoke, toPredictRequest } from './direct-invoke.ts';
import { parseHttpEvent, requestIdOf, toRequest } from './events.ts';
import { type Extension, NO_EXTENSION } from './extension.ts';
import { isTooLarge, tooLarge, toResult } from './results.ts';

export type LambdaHandler = (
  event: unknown,
  context: Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>,
) => Promise<unknown>;

const TRACE_HEADER = 'x-amzn-trace-id';

/** How long before Lambda ends an invocation its answer must be ready; a later one is lost. */
const SENDING_MS = 100;

/**
 * Serves the app as a Lambda function, for API Gateway, a Function URL, a load balancer and direct invokes. Every HTTP
 * request and direct invoke gets an answer, even if it has a mistake; for any other event the handler rejects with
 * UnknownEventError.
 */
export function createLambdaHandler(
  host: Pick<Host, 'app' | 'runWaitingWork'>,
  extension: Extension = NO_EXTENSION,
): LambdaHandler {
  const { app } = host;
  return async (event, invocation) => {
    const receivedMs = performance.now();
    const deadlineMs = receivedMs + invocation.getRemainingTimeInMillis() - SENDING_MS;
    let context: HostContext | undefined;

    /** An event may have parts that are not valid in a request, which is the caller's mistake. */
    async function answer(makeRequest: () => Request, requestId: string): Promise<Response> {
      let request: Request;
      try {
        request = makeRequest();
      } catch (thrown) {
        return app.refuse(thrown, createContext(new HeaderList(), requestId));
      }
      // A direct invoke has no headers, and neither has a request that comes without X-Ray in front.
      const trace = process.env._X_AMZN_TRACE_ID;
      if (trace && !request.headers.has(TRACE_HEADER)) request.headers.set(TRACE_HEADER, trace);
      context = createContext(request.headers, requestId, { receivedMs, deadlineMs });
      return await app.fetch(request, context);
    }

    async function handle(): Promise<unknown> {
      const http = parseHttpEvent(event);
      if (http) {
        const requestId = requestIdOf(http) ?? invocation.awsRequestId;
        const result = await toResult(http, await answer(() => toRequest(http), requestId));
        if (!isTooLarge(result)) return result;
        return await toResult(http, app.refuse(tooLarge(), createContext(new HeaderList(), requestId)));
      }
      if (isDirectInvoke(event)) {
        // A direct invoke has no status: its caller gets the plain value, and errors have their status in `code`.
        return await (await answer(() => toPredictRequest(event), invocation.awsRequestId)).json();
      }
      const { UnknownEventError } = await import('./unknown-event.ts');
      throw new UnknownEventError(event);
    }

    async function work(): Promise<void> {
      if (context) await host.runWaitingWork(context);
    }

    try {
      return await handle();
    } finally {
      if (!extension.finish(invocation.awsRequestId, work)) await work();
    }
  };
}
