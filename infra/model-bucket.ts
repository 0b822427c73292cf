import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { PrivateBucket } from './private-bucket.ts';

/** Folder of the model repository inside the bucket. */
export const MODELS_PREFIX = 'models';

export interface ModelBucketProps {
  /** How long the records of who read and wrote models are kept. */
  readonly accessLogRetention: RetentionDays;
}

/** The private bucket with the model repository. It outlives the stack, and replaced files can be restored. */
export class ModelBucket extends Construct {
  readonly bucket: PrivateBucket;
  /** What `MODEL_REPOSITORY` holds. */
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

  /** Every file of the model repository, as a policy names it. */
  get modelFiles(): string {
    return this.bucket.arnForObjects(`${MODELS_PREFIX}/*`);
  }

  /**
   * Listing the model repository and nothing beside it.
   *
   * S3 also asks for this permission, with the key as the prefix, before it admits that a key is missing: without
   * it a model with no `deployment.json` would look forbidden (403) instead of absent (404).
   */
  listStatement(): PolicyStatement {
    return new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [this.bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${MODELS_PREFIX}/*` } },
    });
  }
}
