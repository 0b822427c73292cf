import { Readable } from 'node:stream';
import { type StoredFile, StoreError } from './model-store.ts';
import type { S3Location } from './s3-location.ts';
import { describeS3, type S3Object, type S3Requests, toS3Error } from './s3-requests.ts';

/** The files of a folder in a bucket. */
export async function listFiles(
  requests: S3Requests,
  location: S3Location,
  folder: string,
  onPart?: () => void,
): Promise<StoredFile[]> {
  const folderPrefix = folder.replace(/\/+$/, '');
  const prefix = location.prefix + (folderPrefix && `${folderPrefix}/`);
  const files: StoredFile[] = [];
  let token: string | undefined;
  do {
    const page = await requests
      .list({ Bucket: location.bucket, Prefix: prefix, ContinuationToken: token })
      .catch((error: unknown) => {
        throw toS3Error(error, location.bucket, prefix, 's3:ListBucket');
      });
    onPart?.();
    for (const object of page.Contents ?? []) {
      const file = toStoredFile(object, location.prefix);
      if (file) files.push(file);
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function toStoredFile(object: S3Object, prefix: string): StoredFile | undefined {
  const { Key: key, Size: sizeBytes, ETag: etag } = object;
  if (key === undefined || sizeBytes === undefined || etag === undefined) return undefined;
  const path = key.slice(prefix.length);
  // Folder markers end in a slash, so their last part is empty.
  if (path.split('/').some((part) => part === '' || part.startsWith('.'))) return undefined;
  return { path, sizeBytes, etag };
}

/** Some bytes of a file in a bucket. */
export async function readRange(
  requests: S3Requests,
  { bucket, prefix }: S3Location,
  file: StoredFile,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Readable> {
  // S3 does not support empty ranges; a file of 0 bytes is read whole.
  if (start >= end && file.sizeBytes > 0) return Readable.from([]);
  const key = prefix + file.path;
  const range = file.sizeBytes > 0 ? { Range: `bytes=${start}-${end - 1}` } : {};
  const answer = await requests
    .get({ Bucket: bucket, Key: key, IfMatch: file.etag, ...range }, signal)
    .catch((error: unknown) => {
      throw toS3Error(error, bucket, key, 's3:GetObject');
    });
  const { body } = answer;
  // Some servers with the S3 protocol ignore If-Match or Range.
  if (answer.ETag !== file.etag) {
    body.destroy();
    throw new StoreError('changed', describeS3('changed', bucket, key, 's3:GetObject'));
  }
  if (answer.ContentLength !== end - start) {
    body.destroy();
    throw new StoreError(
      'unreachable',
      `S3 sent ${answer.ContentLength} bytes of ${bucket}/${key}; bytes ${start} to ${end} were requested.`,
    );
  }
  return body;
}
