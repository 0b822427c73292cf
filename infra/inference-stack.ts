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
   * @default 1769, which gives one full vCPU
   */
  readonly memorySizeMb?: number;
  /**
   * Seconds after which a request is aborted. The HTTP API waits at most 30.
   *
   * @default 29, so that the function fails with its own log line before the HTTP API stops waiting
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
   * The model that answers requests without the name of a model.
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
   * Environment variables of the function; they override those that the stack sets.
   *
   * @default {}
   */
  readonly environment?: Readonly<Record<string, string>>;
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
   * SNS topic that is notified of alarms.
   *
   * @default - alarms are only visible in CloudWatch
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
  /** The models that the deployment copies into the bucket; undefined if it copies none. */
  readonly examples: ExampleModels | undefined;

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
      this.examples = new ExampleModels(this, 'Examples', { models: this.models, folder, logRetentionDays });
      // The first instance preloads models, so they must be there before it starts.
      handler.node.addDependency(this.examples);
    }
    if (functionUrl !== 'none') {
      const { url } = handler.addFunctionUrl({ authType: FUNCTION_URL_AUTHORIZATIONS[functionUrl] });
      new CfnOutput(this, 'FunctionUrl', { value: url });
    }
    new CfnOutput(this, 'ApiUrl', { value: endpoint.api.apiEndpoint });
    new CfnOutput(this, 'ModelBucketName', { value: this.models.bucket.bucketName });
  }
}
