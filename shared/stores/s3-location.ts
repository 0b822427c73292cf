import { StoreError } from './model-store.ts';

/** A prefix in a bucket. */
export interface S3Location {
  readonly bucket: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
}

/** @throws StoreError when the URL names no bucket */
export function parseS3Location(url: string): S3Location {
  const [, bucket, path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(url) ?? [];
  if (bucket === undefined) {
    throw new StoreError('missing', `${JSON.stringify(url)} has no bucket: write s3://bucket/prefix.`);
  }
  const prefix = path.replace(/^\/+|\/+$/g, '');
  return { bucket, prefix: prefix && `${prefix}/` };
}
