import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, IgnoreMode, Size } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { type LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { readEmbeddedMetrics } from '../functions/aws/embedded-metrics.ts';
import { type EnvironmentVariable, parseConfig } from '../shared/config.ts';
import { acknowledge, acknowledgeWildcard } from './compliance.ts';
import { createLogGroup, writeLogStatement } from './log-group.ts';
import type { ModelBucket } from './model-bucket.ts';
import { SettingsError } from './settings-error.ts';

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

/** The HTTP API waits a second longer. */
export const DEFAULT_TIMEOUT_SECONDS = 29;
export const DEFAULT_MEMORY_MB = 1769;
export const DEFAULT_ARCHITECTURE = 'arm64';

const ARCHITECTURES = { arm64: Architecture.ARM_64, x86_64: Architecture.X86_64 } as const;

/** The Lambda function that serves models, and the role that lets it read them and write its log. */
export class InferenceFunction extends Construct {
  readonly handler: LambdaFunction;
  /** The log of the function. */
  readonly logGroup: LogGroup;
  /** The key that programs need for the registry; undefined without one. */
  readonly adminKey: Secret | undefined;

  constructor(scope: Construct, id: string, props: InferenceFunctionProps) {
    super(scope, id);
    this.logGroup = createLogGroup(this, 'Logs', props.logRetentionDays ?? RetentionDays.ONE_MONTH);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        WriteLog: new PolicyDocument({ statements: [writeLogStatement(this.logGroup)] }),
        ReadModels: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['s3:GetObject'], resources: [props.models.modelFiles] }),
            props.models.listStatement(),
            ...props.models.keyStatements('kms:Decrypt'),
          ],
        }),
        ...(props.registry === true && {
          WriteReleases: new PolicyDocument({ statements: [...props.models.registryStatements()] }),
        }),
      },
    });
    if (props.registry === true) {
      acknowledgeRegistry(role, props.models);
      this.adminKey = createAdminKey(this);
    }
    acknowledgeWildcard(
      role,
      props.models.modelFiles,
      'Models are published after the deployment, so their names are not known here. The wildcard covers the ' +
        'model repository only, and the only action on it is s3:GetObject.',
    );
    this.handler = new LambdaFunction(this, 'Handler', {
      description: 'Ternion: serves ONNX models',
      runtime: Runtime.NODEJS_24_X,
      architecture: ARCHITECTURES[props.architecture ?? DEFAULT_ARCHITECTURE],
      code: findCode(props.codeFolder),
      handler: 'index.handler',
      memorySize: props.memorySizeMb ?? DEFAULT_MEMORY_MB,
      timeout: Duration.seconds(props.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS),
      ephemeralStorageSize: Size.mebibytes(props.ephemeralStorageMb ?? 1024),
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
      environment: createEnvironment(props, this.adminKey),
      logGroup: this.logGroup,
      role,
    });
  }
}

function findCode(folder: string): Code {
  if (!existsSync(join(folder, 'index.mjs'))) {
    throw new SettingsError(
      `${folder} holds no built function (index.mjs): "npx ternion build aws-arm64" makes one in dist/aws-arm64.`,
    );
  }
  // Models are read from the bucket; in the package they would only slow down every cold start.
  return Code.fromAsset(folder, { exclude: ['/models'], ignoreMode: IgnoreMode.GIT });
}

function acknowledgeRegistry(role: Role, models: ModelBucket): void {
  acknowledgeWildcard(
    role,
    models.filesInFolders,
    'Models, versions and releases get their names when they are registered. The only action on the wildcard is ' +
      's3:PutObject, and its condition allows only files that are not there yet.',
  );
  acknowledgeWildcard(
    role,
    models.deploymentFiles,
    'Models are registered after the deployment, so their names are not known here. Each has one such file, which ' +
      'says what is served, and the bucket keeps replaced versions of it.',
  );
}

/** CloudFormation makes the key, and puts it into the variables of the function: the template has only the name of the secret. */
function createAdminKey(scope: Construct): Secret {
  const secret = new Secret(scope, 'AdminKey', {
    description: 'Ternion: the key of the model registry (ADMIN_KEY)',
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
  });
  acknowledge(
    secret,
    'SMG4',
    'The programs that use the registry have the key in their own settings, so a rotation by a schedule would lock ' +
      'them out. The guide says how to change it.',
  );
  return secret;
}

/** Variables for what the function cannot find out itself; threads and memory for sessions follow from its size. */
function createEnvironment(
  props: InferenceFunctionProps,
  adminKey: Secret | undefined,
): Record<string, string> {
  const { preloadModels = ['*'] } = props;
  if (adminKey !== undefined && props.environment?.ADMIN_KEY !== undefined)
    throw new SettingsError(
      'registry makes the key of the registry itself: leave ADMIN_KEY out of environment, where it would be readable in the template.',
    );
  const ternion: Partial<Record<EnvironmentVariable, string>> = {
    MODEL_REPOSITORY: props.models.repositoryUrl,
    ...(props.defaultModel !== undefined && { DEFAULT_MODEL: props.defaultModel }),
    ...(preloadModels.length > 0 && { PRELOAD_MODELS: preloadModels.join(',') }),
    ...(props.releaseTtlSeconds !== undefined && { RELEASE_TTL_SECONDS: String(props.releaseTtlSeconds) }),
    ...(adminKey !== undefined && { ADMIN_KEY: adminKey.secretValue.unsafeUnwrap() }),
  };
  const environment = {
    ...ternion,
    // glibc keeps one heap per thread and gives little of it back; two heaps limit what a small function can lose.
    MALLOC_ARENA_MAX: '2',
    ...props.environment,
  };
  // The function would refuse a wrong value at its first start; it is better to refuse it before the deployment.
  parseConfig(environment);
  readEmbeddedMetrics(environment);
  return environment;
}
