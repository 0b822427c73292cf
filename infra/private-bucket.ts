import { RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Settings of a bucket, in addition to those of every {@link PrivateBucket}. */
export type PrivateBucketProps = Pick<BucketProps, 'lifecycleRules' | 'serverAccessLogsBucket' | 'versioned'>;

/**
 * A private, encrypted bucket that is reached only over TLS, and is kept when the stack is deleted.
 *
 * The keys are S3's own. With a customer key in KMS, every file of every cold start would cost a request, and it would
 * not protect the files, because everyone who may read the bucket would also need the key.
 */
export class PrivateBucket extends Bucket {
  constructor(scope: Construct, id: string, props: PrivateBucketProps) {
    super(scope, id, {
      ...props,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  // For the compiler, which is stricter about IBucket than Bucket is.
  override get isWebsite(): boolean {
    return false;
  }
}
