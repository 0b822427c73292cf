import { Duration, Stack } from 'aws-cdk-lib';
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface InferenceAlarmsProps {
  readonly handler: IFunction;
  readonly stage: HttpStage;
  readonly logGroup: ILogGroup;
  readonly timeoutSeconds: number;
  readonly durationAlarmPercent: number;
  readonly errorRateAlarmPercent: number;
  readonly latencyObjectiveMs: number | undefined;
  readonly topicArn: string | undefined;
}

type AlarmOptions = Pick<AlarmProps, 'metric' | 'threshold'> &
  Partial<Pick<AlarmProps, 'evaluationPeriods' | 'datapointsToAlarm'>> & { readonly meaning: string };

const period = Duration.minutes(5);

/** One bad period is a cold start or a deployment; two of three are a trend. */
const TREND = { evaluationPeriods: 3, datapointsToAlarm: 2 } as const;

/** Of ten requests in a period, one failure would be a rate of 10 %. */
const LEAST_FAILURES = 5;

/** The message of the log line that says that a model could not be loaded. */
const LOAD_FAILED = 'model failed to load';

/**
 * Alarms for problems that clients would notice. Without a topic they are only visible in CloudWatch, and notify
 * nobody. Each has a section in docs/runbook.md.
 */
export class InferenceAlarms extends Construct {
  readonly all: readonly Alarm[];
  readonly #action: IAlarmAction | undefined;

  constructor(scope: Construct, id: string, props: InferenceAlarmsProps) {
    super(scope, id);
    const { handler, stage, latencyObjectiveMs } = props;
    if (props.topicArn !== undefined) {
      this.#action = new SnsAction(Topic.fromTopicArn(this, 'Topic', props.topicArn));
    }
    this.all = [
      this.#addAlarm('Errors', {
        meaning: 'The inference function crashed or ran into its timeout.',
        metric: handler.metricErrors({ period }),
        threshold: 1,
      }),
      this.#addAlarm('Throttles', {
        meaning: 'Requests were refused because no concurrency was left.',
        metric: handler.metricThrottles({ period }),
        threshold: 1,
      }),
      this.#addAlarm('Duration', {
        meaning: `One request in a hundred takes over ${props.durationAlarmPercent} % of the timeout.`,
        metric: handler.metricDuration({ period, statistic: 'p99' }),
        threshold: props.timeoutSeconds * 10 * props.durationAlarmPercent,
        ...TREND,
      }),
      // The function answers its own failures with a 5xx, which Lambda does not count as an error.
      this.#addAlarm('ServerErrors', {
        meaning: 'The HTTP API answered requests with a 5xx status.',
        metric: stage.metricServerError({ period }),
        threshold: 1,
      }),
      this.#addAlarm('ErrorRate', {
        meaning: `The HTTP API answered over ${props.errorRateAlarmPercent} % of the requests with a 5xx status.`,
        metric: errorRateOf(stage),
        threshold: props.errorRateAlarmPercent,
        ...TREND,
      }),
      this.#addAlarm('LoadFailures', {
        meaning: 'A version of a model could not be loaded.',
        metric: this.#countLoadFailures(props.logGroup),
        threshold: 1,
      }),
      ...(latencyObjectiveMs === undefined
        ? []
        : [
            this.#addAlarm('Latency', {
              meaning: `One request in twenty takes over ${latencyObjectiveMs} ms.`,
              metric: handler.metricDuration({ period, statistic: 'p95' }),
              threshold: latencyObjectiveMs,
              ...TREND,
            }),
          ]),
    ];
  }

  #addAlarm(id: string, { meaning, ...options }: AlarmOptions): Alarm {
    const alarm = new Alarm(this, id, {
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: `${meaning} What to do: docs/runbook.md#${id.toLowerCase()}`,
      ...options,
    });
    if (this.#action) alarm.addAlarmAction(this.#action);
    return alarm;
  }

  /** The lines are counted in a namespace of the stack, so that others do not raise its alarm. */
  #countLoadFailures(logGroup: ILogGroup): IMetric {
    const filter = new MetricFilter(this, 'LoadFailureLines', {
      logGroup,
      filterPattern: FilterPattern.allTerms(LOAD_FAILED),
      metricNamespace: `Ternion/${Stack.of(this).stackName}`,
      metricName: 'LoadFailures',
      metricValue: '1',
    });
    return filter.metric({ period, statistic: 'Sum' });
  }
}

function errorRateOf(stage: HttpStage): MathExpression {
  return new MathExpression({
    expression: `IF(failed >= ${LEAST_FAILURES}, 100 * failed / requests, 0)`,
    usingMetrics: {
      failed: stage.metricServerError({ period, statistic: 'Sum' }),
      requests: stage.metricCount({ period, statistic: 'Sum' }),
    },
    label: 'percentage of failed requests',
    period,
  });
}
