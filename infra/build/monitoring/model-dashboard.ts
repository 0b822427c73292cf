import type { DashboardOptions, Row } from './panels.ts';
import { asked, failedShare, MODEL, mean, perSecond, quantile, VARIABLES } from './queries.ts';

const VERSION = 'model, version';
const LEGEND = '{{model}}/{{version}}';

const VERSIONS: Row = {
  title: 'Versions side by side',
  panels: [
    {
      title: 'Requests',
      description: 'Requests for predictions per second.',
      unit: 'reqps',
      queries: [{ expr: asked(VERSION), legend: LEGEND }],
    },
    {
      title: 'Share of failed requests',
      description: 'Failed by a fault of the server.',
      unit: 'percentunit',
      queries: [{ expr: failedShare(VERSION), legend: LEGEND }],
    },
    {
      title: 'p95 of a request',
      description: 'An estimate within a bucket, with the time that the objective of the model names.',
      unit: 's',
      queries: [
        {
          expr: quantile(0.95, 'ternion_request_duration_seconds', VERSION, `${MODEL},version!=""`),
          legend: LEGEND,
        },
        {
          expr: `max by (${VERSION}) (ternion_objective_latency_seconds{${MODEL}})`,
          legend: `objective ${LEGEND}`,
        },
      ],
    },
    {
      title: 'Mean time of a run',
      description: 'Time of the graph alone, all runs of a request together.',
      unit: 's',
      queries: [
        { expr: mean('ternion_step_duration_seconds', VERSION, `${MODEL},step="run"`), legend: LEGEND },
      ],
    },
    {
      title: 'Mistakes of clients',
      description: 'Requests per second with a 4xx status: a new version may take other inputs.',
      unit: 'reqps',
      queries: [
        {
          expr: perSecond('ternion_requests_total', VERSION, `${MODEL},version!="",status=~"4.."`),
          legend: LEGEND,
        },
      ],
    },
    {
      title: 'Instances in a request',
      description: 'Mean number of rows, images or texts.',
      unit: 'short',
      queries: [{ expr: mean('ternion_batch_size', VERSION), legend: LEGEND }],
    },
  ],
};

const RECORDED = 'model=~"$model"';
const recorded = (name: string, window: string) => `model_version:ternion_${name}:rate${window}{${RECORDED}}`;

/** How fast a budget is spent: 1 is as fast as the objective allows. */
const burn = (name: string, window: string, objective: string) =>
  `${recorded(name, window)} / ${recorded('requests', window)} / (1 - max by (model, version) (${objective}{${MODEL}}))`;

const BURN_WINDOWS = ['1h', '6h', '3d'] as const;

const OBJECTIVES: Row = {
  title: 'Objectives, as model.json has them; they need the rules of infra/prometheus/alerts.yml',
  panels: [
    {
      title: 'Burn rate of the error budget',
      description:
        '1 spends exactly what the objective allows. TernionAvailabilityBurn fires above 14.4 in 1 h, 6 in 6 h and 1 in 3 d.',
      unit: 'short',
      queries: BURN_WINDOWS.map((window) => ({
        expr: burn('failures', window, 'ternion_objective_availability_ratio'),
        legend: `${LEGEND} ${window}`,
      })),
    },
    {
      title: 'Burn rate of the latency budget',
      description:
        '1 spends exactly what the objective allows. TernionLatencyBurn fires above 14.4 in 1 h, 6 in 6 h and 1 in 3 d.',
      unit: 'short',
      queries: BURN_WINDOWS.map((window) => ({
        expr: burn('slow_requests', window, 'ternion_objective_latency_ratio'),
        legend: `${LEGEND} ${window}`,
      })),
    },
    {
      title: 'Requests over the latency objective',
      description: 'Counted exactly, not estimated from buckets. Per second.',
      unit: 'reqps',
      queries: [{ expr: perSecond('ternion_slow_requests_total', VERSION), legend: LEGEND }],
    },
  ],
};

const FEATURE = 'model, version, feature';

/** The ten features with the largest share of values of a kind. */
const worst = (kind: string) =>
  `topk(10, ${perSecond('ternion_feature_values_total', FEATURE, `${MODEL},kind="${kind}"`)} / ${perSecond('ternion_feature_values_total', FEATURE, `${MODEL},kind="seen"`)})`;

const QUALITY: Row = {
  title: 'Data quality',
  panels: [
    {
      title: 'Missing values',
      description: 'Share of the values of a feature that were missing; the ten worst.',
      unit: 'percentunit',
      queries: [{ expr: worst('missing'), legend: `${LEGEND} {{feature}}` }],
    },
    {
      title: 'Values out of range',
      description: 'Share of the values outside of the range in model.json; the ten worst.',
      unit: 'percentunit',
      queries: [{ expr: worst('out_of_range'), legend: `${LEGEND} {{feature}}` }],
    },
    {
      title: 'Unseen categories',
      description: 'Share of the values that are not among those in model.json; the ten worst.',
      unit: 'percentunit',
      queries: [{ expr: worst('unseen'), legend: `${LEGEND} {{feature}}` }],
    },
  ],
};

const OWN: Row = {
  title: 'Own code',
  panels: [
    {
      title: 'Own counts',
      description: 'What steps of own code counted, per second.',
      unit: 'short',
      width: 12,
      queries: [
        { expr: perSecond('ternion_own_counts_total', 'name, model, version'), legend: `{{name}} ${LEGEND}` },
      ],
    },
    {
      title: 'Own values',
      description: 'Mean of what steps of own code measured.',
      unit: 'short',
      width: 12,
      queries: [{ expr: mean('ternion_own_values', 'name, model, version'), legend: `{{name}} ${LEGEND}` }],
    },
  ],
};

/** What the versions of models do, beside each other. */
export const MODEL_DASHBOARD: DashboardOptions = {
  uid: 'ternion-models',
  title: 'Ternion models',
  description: 'Versions of models side by side, their objectives, and the data that they get.',
  variables: VARIABLES,
  rows: [VERSIONS, OBJECTIVES, QUALITY, OWN],
};
