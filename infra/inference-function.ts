import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, IgnoreMode, Size } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type EnvironmentVariable, parseConfig } from '../shared/config.ts';
import { acknowledgeWildcard } from './compliance.ts';
import { createLogGroup, writeLogStatement } from './log-group.ts';
import type { ModelBucket } from './model-bucket.ts';
import { SettingsError } from './settings-error.ts';

export interface InferenceFunctionProps {
  readonly models: ModelBucket;
  readonly architecture: 'arm64' | 'x86_64';
  /** The folder that `npm run build` made for this architecture. */
  readonly codeFolder: string;
  readonly memorySizeMb: number;
  readonly timeoutSeconds: number;
  readonly ephemeralStorageMb: number;
  readonly reservedConcurrency: number | undefined;
  readonly defaultModel: string | undefined;
  readonly preloadModels: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logRetentionDays: RetentionDays;
}

const ARCHITECTURES = { arm64: Architecture.ARM_64, x86_64: Architecture.X86_64 } as const;

/** The Lambda function that serves models, and the role that lets it read them and write its log. */
export class InferenceFunction extends Construct {
  readonly handler: LambdaFunction;

  constructor(scope: Construct, id: string, props: InferenceFunctionProps) {
    super(scope, id);
    const logGroup = createLogGroup(this, 'Logs', props.logRetentionDays);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        WriteLog: new PolicyDocument({ statements: [writeLogStatement(logGroup)] }),
        ReadModels: new PolicyDocument({
          statements: [
            new PolicyStatement({ actions: ['s3:GetObject'], resources: [props.models.modelFiles] }),
            props.models.listStatement(),
          ],
        }),
      },
    });
    acknowledgeWildcard(
      role,
      props.models.modelFiles,
      'Models are published after the deployment, so their names are not known here. The wildcard covers the ' +
        'model repository only, and the only action on it is s3:GetObject.',
    );
    this.handler = new LambdaFunction(this, 'Handler', {
      description: 'Ternion: serves ONNX models',
      runtime: Runtime.NODEJS_24_X,
      architecture: ARCHITECTURES[props.architecture],
      code: findCode(props.codeFolder),
      handler: 'index.handler',
      memorySize: props.memorySizeMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      ephemeralStorageSize: Size.mebibytes(props.ephemeralStorageMb),
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
      environment: createEnvironment(props),
      logGroup,
      role,
    });
  }
}

function findCode(folder: string): Code {
  if (!existsSync(join(folder, 'index.mjs'))) {
    throw new SettingsError(`${folder} holds no built function (index.mjs): run "npm run build" first.`);
  }
  // Models are read from the bucket; in the package they would only slow down every cold start.
  return Code.fromAsset(folder, { exclude: ['/models'], ignoreMode: IgnoreMode.GIT });
}

/** Variables for what the function cannot find out itself; threads and memory for sessions follow from its size. */
function createEnvironment(props: InferenceFunctionProps): Record<string, string> {
  const ternion: Partial<Record<EnvironmentVariable, string>> = {
    MODEL_REPOSITORY: props.models.repositoryUrl,
    ...(props.defaultModel !== undefined && { DEFAULT_MODEL: props.defaultModel }),
    ...(props.preloadModels.length > 0 && { PRELOAD_MODELS: props.preloadModels.join(',') }),
  };
  const environment = {
    ...ternion,
    // glibc keeps one heap per thread and gives little of it back; two heaps limit what a small function can lose.
    MALLOC_ARENA_MAX: '2',
    ...props.environment,
  };
  // The function would refuse a wrong value at its first start; it is better to refuse it before the deployment.
  parseConfig(environment);
  return environment;
}
