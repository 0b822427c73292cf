import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ExampleModels } from './example-models.ts';
import { HttpEndpoint, type Throttling } from './http-endpoint.ts';
import { InferenceAlarms } from './inference-alarms.ts';
import { InferenceDashboard } from './inference-dashboard.ts';
import {
  DEFAULT_ARCHITECTURE,
  DEFAULT_MEMORY_MB,
  DEFAULT_TIMEOUT_SECONDS,
  InferenceFunction,
  type InferenceFunctionProps,
} from './inference-function.ts';
import { LogQueries } from './log-queries.ts';
import { ModelBucket } from './model-bucket.ts';

/** The stack and its function; the other members are about what is around the function. */
export interface InferenceStackProps extends StackProps, Omit<InferenceFunctionProps, 'models'> {
  /**
   * How long to keep the logs of the function, of the HTTP API, and of access to the model bucket.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetentionDays?: RetentionDays;
  /**
   * Who may call the HTTP API: `iam` means requests signed by an AWS principal that may invoke it, `none` means
   * everyone on the internet.
   *
   * @default 'iam', because everyone who can call the API can spend the account's money
   */
  readonly apiAuthorization?: 'iam' | 'none';
  /**
   * How many requests the HTTP API accepts. This does not limit the function URL.
   *
   * @default - a rate of 100 per second and a burst of 200
   */
  readonly throttling?: Partial<Throttling>;
  /**
   * A second endpoint with no API in front, for answers that take longer than 30 seconds: `iam` requires signed
   * requests, `public` is open to everyone and limited only by concurrency.
   *
   * @default 'none'
   */
  readonly functionUrl?: 'none' | 'iam' | 'public';
  /**
   * An alarm rings when the slowest 1 % of requests take more than this percentage of the timeout.
   *
   * @default 80
   */
  readonly durationAlarmPercent?: number;
  /**
   * An alarm rings when this percentage of the requests to the HTTP API is answered with a 5xx status.
   *
   * @default 5
   */
  readonly errorRateAlarmPercent?: number;
  /**
   * An alarm rings when one request in twenty takes more than this many milliseconds.
   *
   * @default - no such alarm
   */
  readonly latencyObjectiveMs?: number;
  /**
   * Whether the stack has a dashboard of CloudWatch.
   *
   * @default true; an account pays 3 dollars a month for each dashboard after its third
   */
  readonly dashboard?: boolean;
  /**
   * SNS topic that is notified of alarms.
   *
   * @default - alarms are only visible in CloudWatch
   */
  readonly alarmTopicArn?: string;
  /**
   * A model repository on this machine, whose versions each deployment copies into the bucket.
   *
   * @default - nothing is copied
   */
  readonly modelsFolder?: string;
  /**
   * A bucket that has the model repository, or gets it.
   *
   * @default - a private bucket of the stack, which outlives it
   */
  readonly modelBucket?: IBucket;
  /**
   * Folder of the model repository in the bucket.
   *
   * @default 'models'
   */
  readonly modelPrefix?: string;
}

const FUNCTION_URL_AUTHORIZATIONS = {
  iam: FunctionUrlAuthType.AWS_IAM,
  public: FunctionUrlAuthType.NONE,
} as const;

/** Everything Ternion needs on AWS: a model bucket, the function that serves it, and an HTTP API. */
export class InferenceStack extends Stack {
  readonly models: ModelBucket;
  readonly inference: InferenceFunction;
  /** The models that the deployment copies into the bucket; undefined if it copies none. */
  readonly copiedModels: ExampleModels | undefined;

  constructor(scope: Construct, id: string, props: InferenceStackProps) {
    super(scope, id, {
      description: 'Ternion: serves ONNX models',
      ...props,
    });
    const { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, functionUrl = 'none' } = props;
    const { logRetentionDays = RetentionDays.ONE_MONTH } = props;

    this.models = new ModelBucket(this, 'Models', {
      accessLogRetention: logRetentionDays,
      existing: props.modelBucket,
      prefix: props.modelPrefix,
    });
    this.inference = new InferenceFunction(this, 'Inference', { ...props, models: this.models });
    const { handler, logGroup } = this.inference;
    const endpoint = new HttpEndpoint(this, 'Endpoint', {
      handler,
      authorization: props.apiAuthorization ?? 'iam',
      throttling: { ratePerSecond: 100, burst: 200, ...props.throttling },
      logRetentionDays,
    });
    const alarms = new InferenceAlarms(this, 'Alarms', {
      handler,
      stage: endpoint.stage,
      logGroup,
      timeoutSeconds,
      durationAlarmPercent: props.durationAlarmPercent ?? 80,
      errorRateAlarmPercent: props.errorRateAlarmPercent ?? 5,
      latencyObjectiveMs: props.latencyObjectiveMs,
      topicArn: props.alarmTopicArn,
    });
    new LogQueries(this, 'Queries', { logGroup });
    if (props.dashboard ?? true) {
      new InferenceDashboard(this, 'Overview', {
        handler,
        stage: endpoint.stage,
        logGroup,
        alarms: alarms.all,
        architecture: props.architecture ?? DEFAULT_ARCHITECTURE,
        memorySizeMb: props.memorySizeMb ?? DEFAULT_MEMORY_MB,
      });
    }
    if (props.modelsFolder !== undefined) {
      this.copiedModels = new ExampleModels(this, 'Examples', {
        models: this.models,
        folder: props.modelsFolder,
        logRetentionDays,
      });
      // The first instance preloads models, so they must be there before it starts.
      handler.node.addDependency(this.copiedModels);
    }
    if (functionUrl !== 'none') {
      const { url } = handler.addFunctionUrl({ authType: FUNCTION_URL_AUTHORIZATIONS[functionUrl] });
      new CfnOutput(this, 'FunctionUrl', { value: url });
    }
    new CfnOutput(this, 'ApiUrl', { value: endpoint.api.apiEndpoint });
    const { adminKey } = this.inference;
    if (adminKey) new CfnOutput(this, 'AdminKeyArn', { value: adminKey.secretArn });
    new CfnOutput(this, 'ModelBucketName', { value: this.models.bucket.bucketName });
  }
}
