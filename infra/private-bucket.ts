import { RemovalPolicy } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** What one bucket adds to the promises of every {@link PrivateBucket}. */
export type PrivateBucketProps = Pick<BucketProps, 'lifecycleRules' | 'serverAccessLogsBucket' | 'versioned'>;

/**
 * A bucket nobody outside the account can reach, encrypted, over TLS only, that outlives the stack.
 *
 * The keys are S3's own: a customer key in KMS would bill a request for every file of every cold start and
 * protect from nobody, since whoever may read the bucket would be given the key.
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

  // For the compiler, which reads IBucket more strictly than Bucket does.
  override get isWebsite(): boolean {
    return false;
  }
}
