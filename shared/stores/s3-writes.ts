import { setTimeout as sleep } from 'node:timers/promises';
import { type NewContent, type StoredFile, StoreError } from './model-store.ts';
import type { S3Location } from './s3-location.ts';
import { describeS3, type S3Writes, toS3Error } from './s3-requests.ts';
import { checkWritePath } from './write-path.ts';

/** S3 does not accept more in one request; larger models do not fit into a function either. */
const LARGEST_BYTES = 5 * 1024 ** 3;
const ATTEMPTS = 3;
const PAUSE_MS = 100;

/**
 * Writes an object, as `WritableStore.write` describes. S3 answers 412 if the precondition does not hold. It answers
 * 409 if another write arrived during the upload; this one is then tried again.
 * Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes".
 */
export async function writeObject(
  requests: S3Writes,
  location: S3Location,
  path: string,
  content: NewContent,
  replaced: string | undefined,
): Promise<StoredFile> {
  checkWritePath(path);
  if (content.sizeBytes > LARGEST_BYTES) {
    const text = `${path} has more than 5 GiB, the most that S3 accepts at once.`;
    throw new StoreError('no-space', text);
  }
  return await withAttempts(location, path, 's3:PutObject', async () => {
    // A stream can be sent only once.
    const Body = content.open();
    const abort = new AbortController();
    // The client would wait forever for a stream that fails.
    Body.once('error', (error) => abort.abort(error));
    try {
      const { ETag: etag } = await requests.put(
        {
          Bucket: location.bucket,
          Key: location.prefix + path,
          Body,
          ContentLength: content.sizeBytes,
          ChecksumSHA256: Buffer.from(content.sha256, 'hex').toString('base64'),
          ...(replaced === undefined ? { IfNoneMatch: '*' } : { IfMatch: replaced }),
        },
        abort.signal,
      );
      if (etag === undefined) throw new StoreError('unreachable', `S3 returned no ETag for ${path}.`);
      return { path, sizeBytes: content.sizeBytes, etag };
    } catch (error) {
      const broken = Body.errored;
      // S3 refuses before it has all bytes; an open request would keep the process alive.
      abort.abort();
      Body.destroy();
      if (broken === null) throw error;
      throw new StoreError('corrupt', `The content for ${path} cannot be read: ${broken.message}.`, broken);
    }
  });
}

/** Removes an object, as `WritableStore.remove` describes. */
export async function removeObject(
  requests: S3Writes,
  location: S3Location,
  { path, etag }: StoredFile,
): Promise<void> {
  checkWritePath(path);
  await withAttempts(location, path, 's3:DeleteObject', async () => {
    await requests.remove({ Bucket: location.bucket, Key: location.prefix + path, IfMatch: etag });
  });
}

async function withAttempts<T>(
  { bucket, prefix }: S3Location,
  path: string,
  action: string,
  send: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      const reason = error instanceof StoreError ? error : toS3Error(error, bucket, prefix + path, action);
      if (isLostRace(error, reason, attempt)) {
        throw new StoreError('changed', describeS3('changed', bucket, prefix + path, action), error);
      }
      if (reason.reason !== 'unreachable' || attempt >= ATTEMPTS) throw reason;
      await sleep(PAUSE_MS * attempt);
    }
  }
}

/** An object that no longer exists counts as changed; a bucket that does not exist is a different error. */
function isLostRace(error: unknown, { reason }: StoreError, attempt: number): boolean {
  const name = error instanceof Error ? error.name : '';
  if (name === 'ConditionalRequestConflict') return attempt >= ATTEMPTS;
  return reason === 'changed' || (reason === 'missing' && name !== 'NoSuchBucket');
}
