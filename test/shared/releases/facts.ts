import type { JsonValue } from '../../../shared/json/json-value.ts';
import { fieldAt, type RequestFacts } from '../../../shared/releases/assign.ts';

interface GivenRequest {
  readonly requestId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
}

/** What is known of a request that has these headers and this body. */
export function factsOf({ requestId = 'r-1', headers = {}, body }: GivenRequest): RequestFacts {
  return {
    requestId,
    header: (name) => headers[name],
    field: (path) => fieldAt(body, path),
  };
}
