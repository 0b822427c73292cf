import type { Step } from '../request-record.ts';
import { type Family, histogram } from './family.ts';
import { mergeBy, type RanSeries, ranIn } from './group.ts';
import { PYTHON_BOUNDS } from './python-client.ts';
import type { MetricNames } from './series.ts';

/**
 * The names of KServe's servers in Python, version 0.20. A request is in all three histograms once it has run the model.
 * There are no explanations, and so no `request_explain_seconds`. Source: kserve/kserve, python/kserve/kserve/metrics.py.
 */
export const KSERVE: MetricNames = {
  server: 'kserve',
  durationBounds: PYTHON_BOUNDS,
  families: ({ collector }) => {
    const ran = ranIn(collector.requests);
    return [
      describe(ran, 'request_preprocess_seconds', 'Time of preprocessing.', 'preprocess'),
      describe(ran, 'request_predict_seconds', 'Time of the runs.', 'run'),
      describe(ran, 'request_postprocess_seconds', 'Time of postprocessing and encoding.', 'encode'),
    ];
  },
};

function describe(ran: readonly RanSeries[], name: string, help: string, step: Step): Family {
  const merged = mergeBy(
    ran,
    ({ model }) => ({ model_name: model }),
    ({ runs }) => runs.steps[step],
  );
  return histogram(name, help, merged, PYTHON_BOUNDS);
}
