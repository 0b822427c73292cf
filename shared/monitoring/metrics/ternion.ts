import { partsOf } from '../../measurement-keys.ts';
import { STEPS } from '../request-record.ts';
import { counter, type Family, gauge, histogram, type Labels, rounded, type Value } from './family.ts';
import { mergeBy, ranIn, sumBy } from './group.ts';
import { describeProcess } from './process.ts';
import {
  BATCH_BOUNDS,
  type Collector,
  DURATION_BOUNDS,
  LOAD_BOUNDS,
  type MetricNames,
  type ObjectiveSeries,
  type RequestSeries,
} from './series.ts';

/** The steps in the order of a request, with the wait for a turn before the run. */
const STEP_NAMES = STEPS.flatMap((step) => (step === 'run' ? (['queue', step] as const) : [step]));

/** Ternion's own names. Units and endings are those of Prometheus: seconds, bytes, `_total`. */
export const TERNION: MetricNames = {
  server: 'ternion',
  families: ({ collector, inProgress, sessions, waiting, version }) => {
    const { requests } = collector;
    const ran = ranIn(requests);
    return [
      counter(
        'ternion_requests',
        'Requests that were answered.',
        sumBy(requests, ({ protocol, method, route, status, count, ...each }) => [
          { protocol, method, route, ...modelOf(each), status: String(status) },
          count,
        ]),
      ),
      counter(
        'ternion_errors',
        'Requests that were answered with an error, by its code.',
        sumBy(
          requests.filter(({ code }) => code !== ''),
          ({ protocol, code, count, ...each }) => [{ protocol, ...modelOf(each), code }, count],
        ),
      ),
      histogram(
        'ternion_request_duration_seconds',
        'Time from the arrival of a request until its answer was made.',
        mergeBy(
          requests,
          ({ protocol, ...each }) => ({ protocol, ...modelOf(each) }),
          ({ duration }) => duration,
        ),
        DURATION_BOUNDS,
      ),
      histogram(
        'ternion_step_duration_seconds',
        'Time in each step of a request that ran a model.',
        STEP_NAMES.flatMap((step) =>
          mergeBy(
            ran,
            (each) => ({ step, ...modelOf(each) }),
            ({ runs }) => runs.steps[step],
          ),
        ),
        DURATION_BOUNDS,
      ),
      histogram(
        'ternion_batch_size',
        'Instances in a request that ran a model.',
        mergeBy(ran, modelOf, ({ runs }) => runs.batch),
        BATCH_BOUNDS,
      ),
      counter(
        'ternion_runs',
        'Runs of the graph of a model.',
        sumBy(ran, (each) => [modelOf(each), each.runs.count]),
      ),
      counter(
        'ternion_request_bytes',
        'Bytes of the bodies of requests.',
        sumBy(requests, (each) => [modelOf(each), each.bytesIn]),
      ),
      counter(
        'ternion_response_bytes',
        'Bytes of the bodies of answers.',
        sumBy(requests, (each) => [modelOf(each), each.bytesOut]),
      ),
      gauge('ternion_requests_in_progress', 'Requests that have begun and not ended.', [[{}, inProgress]]),
      gauge('ternion_runs_waiting', 'Runs that wait for their turn.', [[{}, waiting]]),
      gauge('ternion_workers', 'Processes and threads that run models.', [[{}, 1]]),
      gauge('ternion_sessions', 'Versions of models in memory.', [[{}, sessions.count]]),
      gauge('ternion_session_bytes', 'Size of the files of the models in memory.', [[{}, sessions.bytes]]),
      ...loadFamilies(collector),
      ...shadowFamilies(collector),
      ...objectiveFamilies(collector),
      counter('ternion_cold_starts', 'Requests that were the first one of a process.', [
        [{}, collector.coldStarts],
      ]),
      qualityFamily(collector),
      ...ownFamilies(collector),
      gauge('ternion_info', 'The version of Ternion.', [[{ version }, 1]]),
      ...describeProcess(),
    ];
  },
};

function loadFamilies({ loads }: Collector): readonly Family[] {
  return [
    histogram(
      'ternion_model_load_duration_seconds',
      'Time to load a version of a model.',
      loads.map((each) => [modelOf(each), each.duration]),
      LOAD_BOUNDS,
    ),
    counter(
      'ternion_model_load_failures',
      'Loads of a version of a model that failed.',
      loads.map((each) => [modelOf(each), each.failures]),
    ),
    counter(
      'ternion_release_load_failures',
      'Loads of a version that failed and by which a release was held back.',
      loads
        .filter(({ releaseFailures }) => releaseFailures > 0)
        .map((each) => [modelOf(each), each.releaseFailures]),
    ),
  ];
}

function shadowFamilies({ shadows }: Collector): readonly Family[] {
  return [
    counter(
      'ternion_shadow_requests',
      'Copies of requests that a version got without a say in any answer, by what came of them.',
      shadows.flatMap(({ counts, ...each }) =>
        Object.entries(counts).map(([outcome, count]): Value => [{ ...modelOf(each), outcome }, count]),
      ),
    ),
    histogram(
      'ternion_shadow_duration_seconds',
      'Time of the copies of requests that a version ran.',
      shadows.map((each) => [modelOf(each), each.duration]),
      DURATION_BOUNDS,
    ),
  ];
}

/** A version has only the numbers that its objective names, so that no alert compares it with something else. */
function objectiveFamilies({ objectives }: Collector): readonly Family[] {
  const valuesOf = (pick: (series: ObjectiveSeries) => number | undefined): readonly Value[] =>
    objectives.flatMap((each) => {
      const value = pick(each);
      return value === undefined ? [] : [[modelOf(each), value] as const];
    });
  return [
    gauge(
      'ternion_objective_availability_ratio',
      'Share of the requests to a model that must not fail by a fault of the server.',
      valuesOf(({ objective }) => objective.availability),
    ),
    gauge(
      'ternion_objective_latency_seconds',
      'Time in which requests to a model must be answered.',
      valuesOf(({ objective: { latency } }) => latency && rounded(latency.ms / 1000)),
    ),
    gauge(
      'ternion_objective_latency_ratio',
      'Share of the requests to a model that must be answered in this time.',
      valuesOf(({ objective: { latency } }) => latency && rounded(latency.percentile / 100)),
    ),
    counter(
      'ternion_slow_requests',
      'Requests that ran a model and succeeded, but took longer than its objective.',
      valuesOf(({ objective: { latency }, slow }) => latency && slow),
    ),
  ];
}

/** A feature without a deviation has its zeros, so that a share of it can be computed. */
function qualityFamily({ quality }: Collector): Family {
  return counter(
    'ternion_feature_values',
    'Values of each feature of a tabular model: all that requests brought, and those that the model does not expect.',
    quality.flatMap(({ features, rows, ...each }) =>
      [...features].flatMap(([feature, { perRow, ...counts }]) =>
        Object.entries({ seen: rows * perRow, ...counts }).map(
          ([kind, count]): Value => [{ ...modelOf(each), feature, kind }, count],
        ),
      ),
    ),
  );
}

function ownFamilies({ own }: Collector): readonly Family[] {
  const observed = own.flatMap(({ observations, ...each }) =>
    [...observations].map(([key, measured]) => ({ labels: ownLabelsOf(key, each), measured })),
  );
  return [
    counter(
      'ternion_own_counts',
      'What steps of own code counted.',
      own.flatMap(({ counts, ...each }) =>
        [...counts].map(([key, count]): Value => [ownLabelsOf(key, each), count]),
      ),
    ),
    {
      name: 'ternion_own_values',
      type: 'summary',
      help: 'What steps of own code measured.',
      samples: observed.flatMap(({ labels, measured }) => [
        { suffix: '_sum', labels, value: measured.sum },
        { suffix: '_count', labels, value: measured.count },
      ]),
    },
  ];
}

/** No label of own code has the name of one of the others. */
function ownLabelsOf(key: string, of: Parameters<typeof modelOf>[0]): Labels {
  const { name, labels } = partsOf(key);
  return { name, ...modelOf(of), ...labels };
}

function modelOf({ model, version }: Pick<RequestSeries, 'model' | 'version'>): Labels {
  return { model, version };
}
