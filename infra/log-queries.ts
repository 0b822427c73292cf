import { Stack } from 'aws-cdk-lib';
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** A query of CloudWatch Logs Insights, with a command in each line. Source: Logs Insights QL. */
export interface LogQuery {
  readonly id: string;
  /** Under which people find it. */
  readonly name: string;
  readonly lines: readonly string[];
}

const STEPS = ['receive', 'match', 'decode', 'resolve', 'preprocess', 'queue', 'run', 'encode', 'reply'];
const meanSteps = STEPS.map((step) => `avg(${step}_ms) as ${step}`).join(', ');

export const ERRORS_BY_CODE: LogQuery = {
  id: 'ErrorsByCode',
  name: 'errors by code',
  lines: [
    'filter ispresent(error_code)',
    'stats count(*) as requests by error_code, status, model, model_version',
    'sort requests desc',
  ],
};

export const SLOWEST_REQUESTS: LogQuery = {
  id: 'SlowestRequests',
  name: 'slowest requests',
  lines: [
    'fields @timestamp, request_id, model, model_version, status, duration_ms, resolve_ms, queue_ms, run_ms, batch_size, bytes_in',
    'filter message = "request"',
    'sort duration_ms desc',
    'limit 50',
  ],
};

export const COLD_STARTS: LogQuery = {
  id: 'ColdStarts',
  name: 'cold starts',
  lines: [
    'filter @type = "REPORT" and ispresent(@initDuration)',
    'stats count(*) as starts, avg(@initDuration) as mean_init, max(@initDuration) as longest_init, max(@maxMemoryUsed / 1000 / 1000) as most_mb by bin(1h)',
  ],
};

/** For a graph over time; the saved query has the steps by model. */
export const STEPS_OVER_TIME: LogQuery = {
  id: 'StepsOverTime',
  name: 'steps over time',
  lines: ['filter ispresent(run_ms)', `stats ${meanSteps} by bin(5m)`],
};

const WITH_DEVIATIONS = 'filter ispresent(quality.rows)';

/** For a graph over time. */
export const DATA_QUALITY_OVER_TIME: LogQuery = {
  id: 'DataQualityOverTime',
  name: 'data quality over time',
  lines: [
    WITH_DEVIATIONS,
    'stats sum(quality.missing) as missing, sum(quality.out_of_range) as out_of_range, sum(quality.unseen) as unseen by bin(5m)',
  ],
};

/** The first feature in a line is the one with the most such values. */
export const WORST_FEATURES: LogQuery = {
  id: 'WorstFeatures',
  name: 'features with unexpected values',
  lines: [
    WITH_DEVIATIONS,
    String.raw`parse @message /"features":\{"(?<feature>[^"]+)":\{"(?<kind>\w+)":(?<values>\d+)/`,
    'stats count(*) as requests, sum(values) as total by model, model_version, feature, kind',
    'sort total desc',
  ],
};

/** The queries that the stack saves. */
export const SAVED_QUERIES: readonly LogQuery[] = [
  ERRORS_BY_CODE,
  SLOWEST_REQUESTS,
  COLD_STARTS,
  WORST_FEATURES,
  {
    id: 'StepsOfModels',
    name: 'steps of each model',
    lines: [
      'filter ispresent(run_ms)',
      `stats count(*) as requests, avg(duration_ms) as duration, ${meanSteps} by model, model_version`,
      'sort duration desc',
    ],
  },
  {
    id: 'OneRequest',
    name: 'one request by its id',
    lines: ['fields @timestamp, @message', 'filter request_id = "PUT THE ID HERE"', 'sort @timestamp asc'],
  },
];

export function textOf({ lines }: LogQuery): string {
  return lines.join('\n| ');
}

/** Queries that people find in Logs Insights, in a folder with the name of the stack. They cost nothing. */
export class LogQueries extends Construct {
  constructor(scope: Construct, id: string, { logGroup }: { readonly logGroup: ILogGroup }) {
    super(scope, id);
    for (const query of SAVED_QUERIES) {
      new CfnQueryDefinition(this, query.id, {
        name: `${Stack.of(this).stackName}/${query.name}`,
        queryString: textOf(query),
        logGroupNames: [logGroup.logGroupName],
      });
    }
  }
}
