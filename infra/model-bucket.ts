import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PrivateBucket } from './private-bucket.ts';
import { SettingsError } from './settings-error.ts';

/** The usual folder of the model repository inside the bucket. */
const MODELS_PREFIX = 'models';

/**
 * Makes S3 write its records of access by a policy of the bucket. Without this flag, which an app of somebody else need
 * not have, CDK would use access control lists, and those are switched off here.
 */
const LOGS_BY_POLICY = '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy';

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
export class ModelBucket extends Construct {
  readonly bucket: IBucket;
  /** Folder of the model repository inside the bucket. */
  readonly prefix: string;
  /** The value of `MODEL_REPOSITORY`. */
  readonly repositoryUrl: string;

  constructor(scope: Construct, id: string, props: ModelBucketProps = {}) {
    super(scope, id);
    this.node.setContext(LOGS_BY_POLICY, true);
    this.bucket = props.existing ?? this.#createBucket(props);
    this.prefix = checkPrefix(props.prefix ?? MODELS_PREFIX);
    this.repositoryUrl = `s3://${this.bucket.bucketName}/${this.prefix}`;
  }

  #createBucket({ accessLogRetention = RetentionDays.ONE_MONTH }: ModelBucketProps): IBucket {
    const accessLogs = new PrivateBucket(this, 'AccessLogs', {
      lifecycleRules: [{ expiration: Duration.days(accessLogRetention) }],
    });
    return new PrivateBucket(this, 'Bucket', {
      versioned: true,
      serverAccessLogsBucket: accessLogs,
      lifecycleRules: [
        { noncurrentVersionExpiration: Duration.days(30) },
        { abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
    });
  }

  /** The ARN pattern of all files of the model repository, for policies. */
  get modelFiles(): string {
    return this.bucket.arnForObjects(`${this.prefix}/*`);
  }

  /** The ARN pattern of the files in the folders of models and releases. */
  get filesInFolders(): string {
    return this.bucket.arnForObjects(`${this.prefix}/*/*`);
  }

  /** The ARN pattern of the files that say what is served of a model. */
  get deploymentFiles(): string {
    return this.bucket.arnForObjects(`${this.prefix}/*/deployment.json`);
  }

  /**
   * Allows what the registry of MLflow's clients writes. Versions and releases are files that nothing replaces: the
   * condition allows only requests that S3 refuses if the file is there. Source: the S3 User Guide, "Enforce conditional
   * writes on Amazon S3 buckets".
   */
  registryStatements(): readonly PolicyStatement[] {
    const actions = ['s3:PutObject'];
    return [
      new PolicyStatement({
        actions,
        resources: [this.filesInFolders],
        conditions: { Null: { 's3:if-none-match': 'false' } },
      }),
      new PolicyStatement({
        actions,
        resources: [this.bucket.arnForObjects(`${this.prefix}/index.json`), this.deploymentFiles],
      }),
      ...this.keyStatements('kms:GenerateDataKey'),
    ];
  }

  /** Allows the use of the key with which the bucket is encrypted; only a bucket that was there before has one. */
  keyStatements(...actions: readonly string[]): readonly PolicyStatement[] {
    const key = this.bucket.encryptionKey;
    return key === undefined ? [] : [new PolicyStatement({ actions: [...actions], resources: [key.keyArn] })];
  }

  /**
   * Allows listing the model repository and nothing else.
   *
   * S3 also needs this permission, with the key as the prefix, to say that a key is missing: without it, a missing
   * `deployment.json` would give 403 (forbidden) instead of 404 (not found).
   */
  listStatement(): PolicyStatement {
    return new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [this.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${this.prefix}/*` } },
    });
  }
}

/** @throws SettingsError for what is not the path of a folder: a policy could then allow too much or nothing */
function checkPrefix(prefix: string): string {
  if (/^[\w.-]+(?:\/[\w.-]+)*$/.test(prefix)) return prefix;
  throw new SettingsError(
    `modelPrefix is ${JSON.stringify(prefix)}; expected the path of a folder in the bucket, such as "models".`,
  );
}
