import { invalid } from '../errors.ts';

/**
 * How long a client, or a proxy in between, waits for the answer: in milliseconds, from the arrival of the request.
 * Sources: Envoy's `x-envoy-expected-rq-timeout-ms`, which meshes such as Istio set; `x-request-timeout-ms` for all
 * others.
 */
const HEADERS = ['x-request-timeout-ms', 'x-envoy-expected-rq-timeout-ms'] as const;

/**
 * The shortest timeout that the headers of a request name; undefined if they name none.
 *
 * @throws InferenceError for a value that is not a number of milliseconds
 */
export function readTimeoutMs(headers: Headers): number | undefined {
  let least: number | undefined;
  for (const name of HEADERS) {
    const value = headers.get(name);
    if (value === null) continue;
    if (!/^[1-9]\d{0,9}$/.test(value)) {
      throw invalid(
        `Header ${name} is ${JSON.stringify(value.slice(0, 40))}; expected a whole number of milliseconds from 1 on.`,
      );
    }
    least = Math.min(least ?? Number.POSITIVE_INFINITY, Number(value));
  }
  return least;
}
