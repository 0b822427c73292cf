import { ConfigError } from '../shared/config.ts';
import type { WritableStore } from '../shared/stores/model-store.ts';
import { openS3Store } from '../shared/stores/s3.ts';

/**
 * A repository in S3. Other servers than Amazon's often have one name for all buckets, and not one for each; then
 * S3_PATH_STYLE puts the bucket into the path.
 *
 * @throws ConfigError
 */
export function openS3(url: string): WritableStore {
  const style = process.env.S3_PATH_STYLE?.trim() || 'false';
  if (style === 'false') return openS3Store(url);
  if (style === 'true') return openS3Store(url, { forcePathStyle: true });
  throw new ConfigError(`S3_PATH_STYLE=${JSON.stringify(style)} must be true or false.`);
}
