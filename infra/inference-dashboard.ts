import { Duration, Stack } from 'aws-cdk-lib';
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  COLD_STARTS,
  DATA_QUALITY_OVER_TIME,
  ERRORS_BY_CODE,
  type LogQuery,
  SLOWEST_REQUESTS,
  STEPS_OVER_TIME,
  textOf,
  WORST_FEATURES,
} from './log-queries.ts';

export interface InferenceDashboardProps {
  readonly handler: LambdaFunction;
  readonly stage: HttpStage;
  readonly logGroup: ILogGroup;
  readonly alarms: readonly Alarm[];
  readonly architecture: 'arm64' | 'x86_64';
  readonly memorySizeMb: number;
}

/** Dollars in us-east-1, with the price list of November 2026. */
const PRICE_PER_GB_SECOND = { arm64: 0.0000133334, x86_64: 0.0000166667 } as const;
const PRICE_PER_MILLION = 0.2;

const period = Duration.minutes(5);
const SIZE = { width: 8, height: 6 } as const;
const WIDE = { width: 12, height: 6 } as const;

/** Sets of dimensions under which the function writes its metrics. */
const OF_MODEL = 'model';
const OF_VERSION = 'model,version,variant';

/** The metrics of all models that there are, also of those that are published later. */
function search(metric: string, dimensions: string, statistic: string): IMetric {
  return new MathExpression({
    expression: `SEARCH('{Ternion,${dimensions}} MetricName="${metric}"', '${statistic}', ${period.toSeconds()})`,
    label: '',
    period,
  });
}

/**
 * What the function does, as far as Lambda, the HTTP API, the log and the metrics in the log say it. Metrics of models
 * are those of all functions in the region, because their names have no stack.
 */
export class InferenceDashboard extends Construct {
  constructor(scope: Construct, id: string, props: InferenceDashboardProps) {
    super(scope, id);
    const { handler, stage, logGroup } = props;
    const logs = (title: string, query: LogQuery, view: LogQueryVisualizationType) =>
      new LogQueryWidget({
        ...WIDE,
        title,
        logGroupNames: [logGroup.logGroupName],
        queryString: textOf(query),
        view,
      });
    const graph = (title: string, left: readonly IMetric[], size: typeof SIZE | typeof WIDE = SIZE) =>
      new GraphWidget({ ...size, title, left: [...left] });
    const durations = ['p50', 'p95', 'p99'].map((statistic) => handler.metricDuration({ period, statistic }));

    new Dashboard(this, 'Dashboard', {
      dashboardName: `${Stack.of(this).stackName}-${Stack.of(this).region}`,
      defaultInterval: Duration.hours(3),
      widgets: [
        [
          new TextWidget({
            width: 12,
            height: 4,
            markdown:
              '# Ternion\n\ndocs/runbook.md says what each alarm means and what to do. The queries of the log are saved in Logs Insights as well, in the folder of the stack.',
          }),
          new AlarmStatusWidget({ width: 12, height: 4, title: 'Alarms', alarms: [...props.alarms] }),
        ],
        [
          graph('Requests', [stage.metricCount({ period }), handler.metricInvocations({ period })]),
          graph('Requests by model', [search('Requests', OF_MODEL, 'Sum')]),
          graph('Instances at once', [handler.metric('ConcurrentExecutions', { period, statistic: 'max' })]),
        ],
        [
          graph('Errors', [
            stage.metricServerError({ period }),
            stage.metricClientError({ period }),
            handler.metricErrors({ period }),
            handler.metricThrottles({ period }),
          ]),
          graph('Errors by model', [search('Errors', OF_MODEL, 'Sum')]),
          graph('Cost of 1,000 requests, in dollars of us-east-1 without the HTTP API', [costOf(props)]),
        ],
        [
          graph('Duration', durations),
          graph('p95 by model', [search('Duration', OF_MODEL, 'p95')]),
          graph('Latency of the HTTP API', [
            stage.metricLatency({ period, statistic: 'p95' }),
            stage.metricIntegrationLatency({ period, statistic: 'p95' }),
          ]),
        ],
        [
          graph('Versions: requests', [search('Requests', OF_VERSION, 'Sum')]),
          graph('Versions: errors', [search('Errors', OF_VERSION, 'Sum')]),
          graph('Versions: p95', [search('Duration', OF_VERSION, 'p95')]),
        ],
        [
          graph('Instances in a request, by model', [search('BatchSize', OF_MODEL, 'Average')], WIDE),
          graph('Cold starts by model', [search('ColdStarts', OF_MODEL, 'Sum')], WIDE),
        ],
        [
          logs('Steps of a request, in milliseconds', STEPS_OVER_TIME, LogQueryVisualizationType.STACKEDAREA),
          logs('Errors by code', ERRORS_BY_CODE, LogQueryVisualizationType.TABLE),
        ],
        [
          logs('Slowest requests', SLOWEST_REQUESTS, LogQueryVisualizationType.TABLE),
          logs('Starts of instances', COLD_STARTS, LogQueryVisualizationType.TABLE),
        ],
        [
          logs(
            'Values that are missing, out of range or unseen',
            DATA_QUALITY_OVER_TIME,
            LogQueryVisualizationType.LINE,
          ),
          logs('Features with such values', WORST_FEATURES, LogQueryVisualizationType.TABLE),
        ],
      ],
    });
  }
}

/** Milliseconds of one request are the seconds of 1,000, which Lambda bills; its price of 1,000 requests is added. */
function costOf({ handler, architecture, memorySizeMb }: InferenceDashboardProps): IMetric {
  const perSecond = (memorySizeMb / 1024) * PRICE_PER_GB_SECOND[architecture];
  return new MathExpression({
    expression: `busy / requests * ${perSecond.toPrecision(6)} + ${PRICE_PER_MILLION / 1000}`,
    usingMetrics: {
      busy: handler.metricDuration({ period, statistic: 'Sum' }),
      requests: handler.metricInvocations({ period }),
    },
    label: 'cost',
    period,
  });
}
