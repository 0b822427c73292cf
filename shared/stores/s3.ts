import type { AwsCredentials, Environment } from '../aws/credentials.ts';
import type { WritableStore } from './model-store.ts';
import { parseLocation } from './objects/location.ts';
import type { ObjectStoreOptions } from './objects/object-requests.ts';
import { openLazily } from './objects/open-lazily.ts';

export interface S3StoreOptions extends ObjectStoreOptions {
  /** By default AWS_REGION or AWS_DEFAULT_REGION, or where the bucket is. */
  readonly region?: string | undefined;
  /** By default AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, or Amazon's. */
  readonly endpoint?: string | undefined;
  /** Whether the bucket is in the path, and not in the name of the server. */
  readonly forcePathStyle?: boolean | undefined;
  /** By default those of the environment, of a role, of the container or of the instance. */
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>) | undefined;
  /** The variables that stand in for options. */
  readonly environment?: Environment | undefined;
}

/**
 * A model repository in an S3 bucket. Keys with a part that is empty or starts with a dot are not part of the
 * repository.
 *
 * @param url `s3://bucket` or `s3://bucket/prefix`; used as it is, without percent-decoding
 * @throws StoreError when the URL names no bucket
 */
export function openS3Store(url: string, options: S3StoreOptions = {}): WritableStore {
  const { container: bucket, ...location } = parseLocation(url, 's3', 'bucket');
  const { environment = {}, credentials } = options;
  return openLazily(location, options, async () => {
    const { createS3Protocol } = await import('./objects/s3-protocol.ts');
    return createS3Protocol({
      bucket,
      environment,
      region: options.region ?? (environment.AWS_REGION || environment.AWS_DEFAULT_REGION || undefined),
      endpoint:
        options.endpoint ?? (environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || undefined),
      forcePathStyle: options.forcePathStyle ?? false,
      credentials: sourceOf(credentials, environment),
    });
  });
}

function sourceOf(
  given: S3StoreOptions['credentials'],
  environment: Environment,
): () => Promise<AwsCredentials> {
  if (typeof given === 'function') return given;
  if (given !== undefined) return async () => given;
  return async () => {
    const { findAllCredentials } = await import('../aws/web-identity.ts');
    return await findAllCredentials(environment, (reason) => new Error(reason));
  };
}
