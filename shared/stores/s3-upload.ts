import { createReadStream } from 'node:fs';
import { StoreError } from './model-store.ts';
import {
  connectS3,
  parseS3Location,
  type S3Location,
  type S3Requests,
  type S3StoreOptions,
  toS3Error,
} from './s3-requests.ts';

/** A file of this machine on its way into a repository. */
export interface Upload {
  readonly file: string;
  /** Where it is to lie below the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  /** In hex; S3 refuses what does not arrive as it was sent. */
  readonly sha256: string;
}

/** S3 takes no more in one request; larger models do not fit into a function either. */
const LARGEST_BYTES = 5 * 1024 ** 3;
const ATTEMPTS = 3;
/** S3 may take a while to store a large object before it answers. */
const SOCKET_TIMEOUT_MS = 120_000;

/**
 * Makes a function that uploads files into a repository in S3.
 *
 * @param url `s3://bucket` or `s3://bucket/prefix`
 * @returns whether the file was written: with `isNew` it is not where there is one already
 */
export function openS3Uploads(
  url: string,
  options: S3StoreOptions = {},
): (upload: Upload, isNew: boolean) => Promise<boolean> {
  const location = parseS3Location(url);
  const connected = connectS3({ socketTimeoutMs: SOCKET_TIMEOUT_MS, ...options });
  // Awaited with the first upload.
  connected.catch(() => undefined);
  return async (upload, isNew) => {
    if (upload.sizeBytes > LARGEST_BYTES) {
      const text = `${upload.path} has more than 5 GiB, which is the most that S3 takes at once.`;
      throw new StoreError('no-space', text);
    }
    const requests = await connected;
    for (let attempt = 1; ; attempt++) {
      try {
        await send(requests, location, upload, isNew);
        return true;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (isNew && error.reason === 'changed') return false;
        if (error.reason !== 'unreachable' || attempt >= ATTEMPTS) throw error;
      }
    }
  };
}

/** A stream can be sent once: each attempt has its own. */
async function send(
  { put }: S3Requests,
  { bucket, prefix }: S3Location,
  { file, path, sizeBytes, sha256 }: Upload,
  isNew: boolean,
): Promise<void> {
  const Body = createReadStream(file);
  try {
    await put({
      Bucket: bucket,
      Key: prefix + path,
      Body,
      ContentLength: sizeBytes,
      ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
      ...(isNew && { IfNoneMatch: '*' }),
    });
  } catch (error) {
    // Only here: S3 answers when it has all bytes, and a file cut off before its end was seen would never end the request.
    Body.destroy();
    throw toS3Error(error, bucket, prefix + path, 's3:PutObject');
  }
}
