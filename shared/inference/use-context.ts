import type { Budget } from '../budget.ts';
import type { RequestContext } from '../http/context.ts';
import type { JsonValue } from '../json/json-value.ts';

/** What a use of a model has of its request. */
export interface UseContext {
  /** The request, for steps of own code, and for work that it leaves. */
  readonly context?:
    | (Pick<RequestContext, 'requestId' | 'trace'> & Partial<Pick<RequestContext, 'waitUntil'>>)
    | undefined;
  /** The budget of the request; a new one by default. */
  readonly budget?: Budget | undefined;
  /** Its headers, if it takes part in a division of requests; undefined for a look at a model. */
  readonly request?: Pick<Request, 'headers'> | undefined;
  /** Its body as JSON. @throws InferenceError when it is not JSON */
  readonly json?: (() => JsonValue) | undefined;
}
