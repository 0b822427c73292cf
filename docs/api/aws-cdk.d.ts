import { Function } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { IBucket } from "aws-cdk-lib/aws-s3";
import { Stack, StackProps } from "aws-cdk-lib";
/** How many requests an endpoint accepts; the others get 429. */
export interface Throttling {
  /** Requests per second on average. */
  readonly ratePerSecond: number;
  /** Requests accepted at once. */
  readonly burst: number;
}
export interface ModelBucketProps {
  /**
   * A bucket that is used instead of a new one.
   *
   * @default - a new one
   */
  readonly existing?: IBucket | undefined;
  /**
   * Folder of the model repository inside the bucket.
   *
   * @default 'models'
   */
  readonly prefix?: string | undefined;
  /**
   * How long to keep the records of who read and wrote models in a new bucket.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly accessLogRetention?: RetentionDays;
}
/**
 * The bucket with the model repository. A new one is private; it outlives the stack, and replaced files can be restored.
 */
export declare class ModelBucket extends Construct {
  #private;
  readonly bucket: IBucket;
  /** Folder of the model repository inside the bucket. */
  readonly prefix: string;
  /** The value of `MODEL_REPOSITORY`. */
  readonly repositoryUrl: string;
  constructor(scope: Construct, id: string, props?: ModelBucketProps);
  /** The ARN pattern of all files of the model repository, for policies. */
  get modelFiles(): string;
  /** The ARN pattern of the files in the folders of models and releases. */
  get filesInFolders(): string;
  /** The ARN pattern of the files that say what is served of a model. */
  get deploymentFiles(): string;
  /**
   * Allows what the registry of MLflow's clients writes. Versions and releases are files that nothing replaces: the
   * condition allows only requests that S3 refuses if the file is there. Source: the S3 User Guide, "Enforce conditional
   * writes on Amazon S3 buckets".
   */
  registryStatements(): readonly PolicyStatement[];
  /** Allows the use of the key with which the bucket is encrypted; only a bucket that was there before has one. */
  keyStatements(...actions: readonly string[]): readonly PolicyStatement[];
  /**
   * Allows listing the model repository and nothing else.
   *
   * S3 also needs this permission, with the key as the prefix, to say that a key is missing: without it, a missing
   * `deployment.json` would give 403 (forbidden) instead of 404 (not found).
   */
  listStatement(): PolicyStatement;
}
export interface InferenceFunctionProps {
  /** Where its models are. */
  readonly models: ModelBucket;
  /**
   * Processor of the function.
   *
   * @default 'arm64', which costs 20 % less per second
   */
  readonly architecture?: 'arm64' | 'x86_64';
  /** The folder of the built function: `npx ternion build aws-arm64` makes dist/aws-arm64. */
  readonly codeFolder: string;
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
   * Seconds after which an instance asks what has been released, and which models there are.
   *
   * @default 30
   */
  readonly releaseTtlSeconds?: number;
  /**
   * Whether the function is a registry for MLflow's clients. It then may write releases and new versions, and programs
   * need the key in a secret of AWS Secrets Manager. They must be able to call it without a signature of AWS.
   *
   * @default false: the function only reads the model repository
   */
  readonly registry?: boolean;
  /**
   * Environment variables of the function; they override those that the stack sets.
   *
   * @default {}
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * How long to keep its log.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetentionDays?: RetentionDays;
}
/** The Lambda function that serves models, and the role that lets it read them and write its log. */
export declare class InferenceFunction extends Construct {
  readonly handler: Function;
  /** The log of the function. */
  readonly logGroup: LogGroup;
  /** The key that programs need for the registry; undefined without one. */
  readonly adminKey: Secret | undefined;
  constructor(scope: Construct, id: string, props: InferenceFunctionProps);
}
/** The versions of each model of a repository, by the name of the model. */
type FoundVersions = ReadonlyMap<string, readonly string[]>;
interface ExampleModelsProps {
  readonly models: ModelBucket;
  /** A model repository on this machine. */
  readonly folder: string;
  readonly logRetentionDays: RetentionDays;
}
/**
 * Copies the model versions of a folder into the bucket at each deployment in which they have changed.
 *
 * Files that users put there stay: nothing is deleted. `deployment.json`, which says what is live, is not packed and
 * not copied, and the role that copies has no access to it.
 */
declare class ExampleModels extends Construct {
  /** The versions that are copied. */
  readonly versions: FoundVersions;
  constructor(scope: Construct, id: string, props: ExampleModelsProps);
}
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
/** Everything Ternion needs on AWS: a model bucket, the function that serves it, and an HTTP API. */
export declare class InferenceStack extends Stack {
  readonly models: ModelBucket;
  readonly inference: InferenceFunction;
  /** The models that the deployment copies into the bucket; undefined if it copies none. */
  readonly copiedModels: ExampleModels | undefined;
  constructor(scope: Construct, id: string, props: InferenceStackProps);
}
/** The settings of a deployment cannot work. The message says what to change, in whole sentences. */
export declare class SettingsError extends Error {
  readonly name = "SettingsError";
}
export {};
