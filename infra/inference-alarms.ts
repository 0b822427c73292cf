import { Duration } from 'aws-cdk-lib';
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IAlarmAction,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface InferenceAlarmsProps {
  readonly handler: IFunction;
  readonly stage: HttpStage;
  readonly timeoutSeconds: number;
  readonly durationAlarmPercent: number;
  readonly topicArn: string | undefined;
}

type AlarmOptions = Pick<AlarmProps, 'metric' | 'threshold' | 'alarmDescription'> &
  Partial<Pick<AlarmProps, 'evaluationPeriods' | 'datapointsToAlarm'>>;

const period = Duration.minutes(5);

/**
 * Alarms for problems that clients would notice. Without a topic they are only visible in CloudWatch, and notify
 * nobody.
 */
export class InferenceAlarms extends Construct {
  readonly #action: IAlarmAction | undefined;

  constructor(scope: Construct, id: string, props: InferenceAlarmsProps) {
    super(scope, id);
    if (props.topicArn !== undefined) {
      this.#action = new SnsAction(Topic.fromTopicArn(this, 'Topic', props.topicArn));
    }
    this.#addAlarm('Errors', {
      alarmDescription: 'The inference function crashed or ran into its timeout.',
      metric: props.handler.metricErrors({ period }),
      threshold: 1,
    });
    this.#addAlarm('Throttles', {
      alarmDescription: 'Requests were refused because no concurrency was left.',
      metric: props.handler.metricThrottles({ period }),
      threshold: 1,
    });
    this.#addAlarm('Duration', {
      alarmDescription: `One request in a hundred takes over ${props.durationAlarmPercent} % of the timeout.`,
      metric: props.handler.metricDuration({ period, statistic: 'p99' }),
      threshold: props.timeoutSeconds * 10 * props.durationAlarmPercent,
      // One slow period is a cold start with a large model; two of three are a trend.
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    });
    // The function answers its own failures with a 5xx, which Lambda does not count as an error.
    this.#addAlarm('ServerErrors', {
      alarmDescription: 'The HTTP API answered requests with a 5xx status.',
      metric: props.stage.metricServerError({ period }),
      threshold: 1,
    });
  }

  #addAlarm(id: string, options: AlarmOptions): void {
    const alarm = new Alarm(this, id, {
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...options,
    });
    if (this.#action) alarm.addAlarmAction(this.#action);
  }
}
