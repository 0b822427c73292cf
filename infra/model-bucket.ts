import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { PrivateBucket } from './private-bucket.ts';

/** Folder of the model repository inside the bucket. */
export const MODELS_PREFIX = 'models';

export interface ModelBucketProps {
  /** How long to keep the records of who read and wrote models. */
  readonly accessLogRetention: RetentionDays;
}

/** The private bucket with the model repository. It outlives the stack, and replaced files can be restored. */
export class ModelBucket extends Construct {
  readonly bucket: PrivateBucket;
  /** The value of `MODEL_REPOSITORY`. */
  readonly repositoryUrl: string;

  constructor(scope: Construct, id: string, props: ModelBucketProps) {
    super(scope, id);
    const accessLogs = new PrivateBucket(this, 'AccessLogs', {
      lifecycleRules: [{ expiration: Duration.days(props.accessLogRetention) }],
    });
    this.bucket = new PrivateBucket(this, 'Bucket', {
      versioned: true,
      serverAccessLogsBucket: accessLogs,
      lifecycleRules: [
        { noncurrentVersionExpiration: Duration.days(30) },
        { abortIncompleteMultipartUploadAfter: Duration.days(7) },
      ],
    });
    this.repositoryUrl = `s3://${this.bucket.bucketName}/${MODELS_PREFIX}`;
  }

  /** The ARN pattern of all files of the model repository, for policies. */
  get modelFiles(): string {
    return this.bucket.arnForObjects(`${MODELS_PREFIX}/*`);
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
      conditions: { StringLike: { 's3:prefix': `${MODELS_PREFIX}/*` } },
    });
  }
}
