import { join } from 'node:path';
import { type App, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ExampleModels } from './example-models.ts';
import { HttpEndpoint, type Throttling } from './http-endpoint.ts';
import { InferenceAlarms } from './inference-alarms.ts';
import { InferenceFunction } from './inference-function.ts';
import { ModelBucket } from './model-bucket.ts';
import { TernionSynthesizer } from './stack-synthesizer.ts';

export interface InferenceStackProps extends StackProps {
  /**
   * Processor of the function.
   *
   * @default 'arm64', which costs 20 % less per second
   */
  readonly architecture?: 'arm64' | 'x86_64';
  /**
   * The built function.
   *
   * @default dist/aws-arm64 or dist/aws-x64 of the project, by architecture
   */
  readonly codeFolder?: string;
  /**
   * Memory of the function in MB. CPU grows with it.
   *
   * @default 1769, which buys one whole vCPU
   */
  readonly memorySizeMb?: number;
  /**
   * Seconds after which one request is given up. The HTTP API waits no longer than 30.
   *
   * @default 29, so that the function fails with its own log line before the HTTP API turns away
   */
  readonly timeoutSeconds?: number;
  /**
   * Size of /tmp in MB, where model files are kept.
   *
   * @default 1024
   */
  readonly ephemeralStorageMb?: number;
  /**
   * Most instances at once, taken from the account's concurrency.
   *
   * @default - shares the account's concurrency
   */
  readonly reservedConcurrency?: number;
  /**
   * The model that answers requests which name none.
   *
   * @default - such requests are refused
   */
  readonly defaultModel?: string;
  /**
   * Models loaded at a cold start: names, or `['*']` for all. An empty list loads the default model.
   *
   * @default ['*']
   */
  readonly preloadModels?: readonly string[];
  /**
   * Environment variables of the function, over those the stack sets.
   *
   * @default {}
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * How long logs are kept: of the function, of the HTTP API, and of who used the model bucket.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetentionDays?: RetentionDays;
  /**
   * Who may call the HTTP API: `iam` are requests signed by a principal of AWS that may invoke it, `none` is
   * everyone on the internet.
   *
   * @default 'iam', as whoever can call the API can spend the account's money
   */
  readonly apiAuthorization?: 'iam' | 'none';
  /**
   * Requests the HTTP API lets through. It does not bind the function URL.
   *
   * @default - a rate of 100 per second and a burst of 200
   */
  readonly throttling?: Partial<Throttling>;
  /**
   * A second endpoint with no API in front, for answers that take longer than 30 seconds: `iam` asks for signed
   * requests, `public` is open to everyone and bound by nothing but concurrency.
   *
   * @default 'none'
   */
  readonly functionUrl?: 'none' | 'iam' | 'public';
  /**
   * Percent of the timeout at which the slowest hundredth of requests raises an alarm.
   *
   * @default 80
   */
  readonly durationAlarmPercent?: number;
  /**
   * SNS topic that is told of alarms.
   *
   * @default - alarms show in CloudWatch only
   */
  readonly alarmTopicArn?: string;
  /**
   * Copy the model versions of `modelsFolder` into the bucket.
   *
   * @default true
   */
  readonly seedExampleModels?: boolean;
  /**
   * The model repository that is copied into the bucket.
   *
   * @default models/ of the project
   */
  readonly modelsFolder?: string;
}

/** Folder of the project; folders in the settings are relative to it. */
export const PROJECT_FOLDER = join(import.meta.dirname, '..');

const CODE_FOLDERS = { arm64: 'dist/aws-arm64', x86_64: 'dist/aws-x64' } as const;
const FUNCTION_URL_AUTHORIZATIONS = {
  iam: FunctionUrlAuthType.AWS_IAM,
  public: FunctionUrlAuthType.NONE,
} as const;

/** Everything Ternion needs on AWS: a model bucket, the function that serves it, and an HTTP API. */
export class InferenceStack extends Stack {
  readonly models: ModelBucket;
  readonly inference: InferenceFunction;

  constructor(scope: App, id: string, props: InferenceStackProps = {}) {
    super(scope, id, {
      description: 'Ternion: serves ONNX models',
      synthesizer: new TernionSynthesizer(),
      ...props,
    });
    const { architecture = 'arm64', timeoutSeconds = 29, functionUrl = 'none' } = props;
    const logRetentionDays = props.logRetentionDays ?? RetentionDays.ONE_MONTH;

    this.models = new ModelBucket(this, 'Models', { accessLogRetention: logRetentionDays });
    this.inference = new InferenceFunction(this, 'Inference', {
      models: this.models,
      architecture,
      codeFolder: props.codeFolder ?? join(PROJECT_FOLDER, CODE_FOLDERS[architecture]),
      memorySizeMb: props.memorySizeMb ?? 1769,
      timeoutSeconds,
      ephemeralStorageMb: props.ephemeralStorageMb ?? 1024,
      reservedConcurrency: props.reservedConcurrency,
      defaultModel: props.defaultModel,
      preloadModels: props.preloadModels ?? ['*'],
      environment: props.environment ?? {},
      logRetentionDays,
    });
    const { handler } = this.inference;
    const endpoint = new HttpEndpoint(this, 'Endpoint', {
      handler,
      authorization: props.apiAuthorization ?? 'iam',
      throttling: { ratePerSecond: 100, burst: 200, ...props.throttling },
      logRetentionDays,
    });
    new InferenceAlarms(this, 'Alarms', {
      handler,
      stage: endpoint.stage,
      timeoutSeconds,
      durationAlarmPercent: props.durationAlarmPercent ?? 80,
      topicArn: props.alarmTopicArn,
    });
    if (props.seedExampleModels ?? true) {
      const folder = props.modelsFolder ?? join(PROJECT_FOLDER, 'models');
      const examples = new ExampleModels(this, 'Examples', { models: this.models, folder, logRetentionDays });
      // The first instance preloads models, so they have to be there before it.
      handler.node.addDependency(examples);
    }
    if (functionUrl !== 'none') {
      const { url } = handler.addFunctionUrl({ authType: FUNCTION_URL_AUTHORIZATIONS[functionUrl] });
      new CfnOutput(this, 'FunctionUrl', { value: url });
    }
    new CfnOutput(this, 'ApiUrl', { value: endpoint.api.apiEndpoint });
    new CfnOutput(this, 'ModelBucketName', { value: this.models.bucket.bucketName });
  }
}
