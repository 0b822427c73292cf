import type { HostLog } from '../host.ts';
import { createEmbeddedMetrics, readEmbeddedMetrics } from './embedded-metrics.ts';

/** The log of a function: one event a line, without what the runtime puts before a line of `console.log`. */
export function createLambdaLog(environment: Readonly<Record<string, string | undefined>>): HostLog {
  return {
    // CloudWatch makes metrics only of events that are JSON from their first character on.
    write: (line) => void process.stdout.write(`${line}\n`),
    describe: (_, { trace_id: id }) => (typeof id === 'string' ? { xray_trace_id: toXrayId(id) } : {}),
    metrics: createEmbeddedMetrics(readEmbeddedMetrics(environment)),
  };
}

/** The console of X-Ray searches logs for this form of an id. */
function toXrayId(traceId: string): string {
  return `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
}
