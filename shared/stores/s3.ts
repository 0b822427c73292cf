import { loadOnce } from '../memo.ts';
import type { WritableStore } from './model-store.ts';
import { parseS3Location } from './s3-location.ts';
import type { S3StoreOptions } from './s3-requests.ts';

/**
 * A model repository in an S3 bucket. Region, endpoint and credentials come from the SDK's default chain unless given.
 * The SDK is loaded with the first request. Keys with a part that is empty or starts with a dot are not part of the
 * repository.
 *
 * @param url `s3://bucket` or `s3://bucket/prefix`; used as it is, without percent-decoding
 */
export function openS3Store(url: string, options: S3StoreOptions = {}): WritableStore {
  const location = parseS3Location(url);
  // Most servers have a folder of models.
  const reads = loadOnce(() => import('./s3-reads.ts'));
  const connected = loadOnce(async () => (await import('./s3-requests.ts')).connectS3(options));
  // Servers only read.
  const writes = loadOnce(() => import('./s3-writes.ts'));
  const connectedWrites = loadOnce(async () => (await import('./s3-requests.ts')).connectS3Writes(options));
  return {
    url: `s3://${location.bucket}/${location.prefix}`.replace(/\/$/, ''),
    list: async (folder, _, onPart) =>
      await (await reads()).listFiles(await connected(), location, folder, onPart),
    read: async (file, start, end, signal) =>
      await (await reads()).readRange(await connected(), location, file, start, end, signal),
    write: async (path, content, replaced) =>
      await (await writes()).writeObject(await connectedWrites(), location, path, content, replaced),
    remove: async (file) => await (await writes()).removeObject(await connectedWrites(), location, file),
  };
}
