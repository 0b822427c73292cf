import { counter, type Family, gauge, histogram, type Labels } from './family.ts';
import { inferencesIn, mergeBy, succeededIn, sumBy } from './group.ts';
import { PYTHON_BOUNDS } from './python-client.ts';
import type { MetricNames, RequestSeries } from './series.ts';

/** Routes whose requests MLServer does not count. */
const UNCOUNTED = ['/metrics', '/v2/health/live', '/v2/health/ready'];

/** The name that MLServer gives itself. */
const APP = { app_name: 'mlserver' };

/**
 * The names of MLServer 1.7. Those with `rest_server` count all requests to known routes, of models and others.
 * Sources: SeldonIO/MLServer, mlserver/handlers/dataplane.py and mlserver/rest/app.py; stephenhillier/starlette_exporter
 * 0.24, middleware.py.
 */
export const MLSERVER: MetricNames = {
  server: 'mlserver',
  durationBounds: PYTHON_BOUNDS,
  families: ({ collector, inProgress }) => {
    const inferences = inferencesIn(collector.requests);
    const counted = collector.requests.filter(({ route }) => route !== '' && !UNCOUNTED.includes(route));
    const durations = mergeBy(inferences, modelOf, ({ duration }) => duration);
    return [
      counter(
        'model_infer_request_success',
        'Requests for an inference that succeeded.',
        sumBy(succeededIn(inferences), (each) => [modelOf(each), each.count]),
      ),
      counter(
        'model_infer_request_failure',
        'Requests for an inference that failed.',
        sumBy(inferences, (each) => [modelOf(each), each.code === '' ? 0 : each.count]),
      ),
      {
        name: 'model_infer_request_duration',
        type: 'summary',
        help: 'Seconds of requests for an inference.',
        samples: durations.flatMap(([labels, { sum, counts }]): Family['samples'] => [
          { suffix: '_count', labels, value: counts.reduce((total, count) => total + count, 0) },
          { suffix: '_sum', labels, value: sum },
        ]),
      },
      counter(
        'rest_server_requests',
        'Requests to known routes.',
        sumBy(counted, (each) => [routeOf(each), each.count]),
      ),
      histogram(
        'rest_server_request_duration_seconds',
        'Seconds of requests to known routes.',
        mergeBy(counted, routeOf, ({ duration }) => duration),
        PYTHON_BOUNDS,
      ),
      gauge('rest_server_requests_in_progress', 'Requests that have begun and not ended.', [
        [APP, inProgress],
      ]),
    ];
  },
};

function modelOf({ model, version }: RequestSeries): Labels {
  return { model, version };
}

function routeOf({ method, route, status }: RequestSeries): Labels {
  return { method, path: route, status_code: String(status), ...APP };
}
