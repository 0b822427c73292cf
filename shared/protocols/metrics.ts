import type { MetricsName } from '../config.ts';
import { InferenceError } from '../errors.ts';
import { chooseMediaType } from '../http/accept.ts';
import { BytesResponse } from '../http/bytes.ts';
import { holderOf } from '../http/secret.ts';
import type { ServerState } from '../monitoring/metrics/series.ts';
import {
  OPEN_METRICS_TYPE,
  PROMETHEUS_TYPE,
  writeOpenMetrics,
  writePrometheus,
} from '../monitoring/metrics/write-text.ts';
import { waitingWork } from '../turns.ts';
import type { Operation, Protocol, ProtocolOptions } from './operation.ts';
import { TENSORFLOW_SERVING_METRICS } from './route-table.ts';

const TYPES = ['text/plain', 'application/openmetrics-text'] as const;

/** The numbers of this process, for programs that read them every few seconds. */
export function createMetricsProtocol({
  config: { metrics, metricsToken },
  inference,
  monitoring,
  version,
}: ProtocolOptions): Protocol {
  return {
    name: 'metrics',
    description: 'Metrics for Prometheus.',
    operations: [
      ...(metrics.length > 0 ? [describeRoute('/metrics', 'Read the metrics of this process')] : []),
      ...(metrics.includes('tensorflow-serving')
        ? [
            describeRoute(
              TENSORFLOW_SERVING_METRICS,
              'Read the metrics with the names of TensorFlow Serving',
              'tensorflow-serving',
            ),
          ]
        : []),
    ],
  };

  /** @param server whose names are given there; otherwise those of all that were chosen */
  function describeRoute(path: string, summary: string, server?: MetricsName): Operation {
    return {
      method: 'GET',
      path,
      summary,
      response: { [PROMETHEUS_TYPE]: null, [OPEN_METRICS_TYPE]: null },
      handle: async (c) => {
        if (!monitoring.collect) throw new InferenceError('ENDPOINT_NOT_FOUND', monitoring.advice);
        const { headers } = c.req.raw;
        if (metricsToken !== undefined && !holderOf(headers, metricsToken)) throw wrongToken();
        const collector = await monitoring.collect();
        const state: ServerState = {
          collector,
          inProgress: monitoring.inProgress,
          sessions: inference.sessions(),
          waiting: waitingWork(),
          version,
        };
        const families = collector.names
          .filter((names) => server === undefined || names.server === server)
          .flatMap((names) => names.families(state));
        return chooseMediaType(headers.get('accept'), TYPES) === TYPES[1]
          ? new BytesResponse(writeOpenMetrics(families), { headers: { 'content-type': OPEN_METRICS_TYPE } })
          : new BytesResponse(writePrometheus(families), { headers: { 'content-type': PROMETHEUS_TYPE } });
      },
    };
  }
}

function wrongToken(): InferenceError {
  return new InferenceError(
    'UNAUTHENTICATED',
    'The metrics of this server need the header "Authorization: Bearer" with its METRICS_TOKEN.',
    { headers: { 'www-authenticate': 'Bearer realm="metrics"' } },
  );
}
