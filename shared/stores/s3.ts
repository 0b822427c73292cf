import { Readable } from 'node:stream';
import type {
  GetObjectCommandInput,
  GetObjectCommandOutput,
  ListObjectsV2CommandInput,
  ListObjectsV2CommandOutput,
  S3ClientConfig,
  _Object as S3Object,
} from '@aws-sdk/client-s3';
import { type ModelStore, type StoredFile, StoreError, type StoreErrorReason } from './model-store.ts';

export interface S3StoreOptions
  extends Pick<S3ClientConfig, 'endpoint' | 'region' | 'credentials' | 'forcePathStyle'> {
  /** Tries per request, made by the SDK with its own back-off. */
  readonly attempts?: number;
  /** Longest wait for a connection. */
  readonly connectionTimeoutMs?: number;
  /** Longest silence on a connection, before and within an answer. */
  readonly socketTimeoutMs?: number;
}

/**
 * A model repository in an S3 bucket. Region, endpoint and credentials come from the SDK's default chain unless given.
 * The SDK is loaded with the first request. Keys with a part that is empty or starts with a dot are no part of the
 * repository.
 *
 * @param url `s3://bucket` or `s3://bucket/prefix`; taken as it is, without percent-decoding
 */
export function openS3Store(url: string, options: S3StoreOptions = {}): ModelStore {
  const location = parseLocation(url);
  let requests: Promise<S3Requests> | undefined;
  const connected = (): Promise<S3Requests> => {
    requests ??= connect(options).catch((error: unknown) => {
      requests = undefined;
      throw error;
    });
    return requests;
  };
  return {
    url: `s3://${location.bucket}/${location.prefix}`.replace(/\/$/, ''),
    list: async (folder) => await listFiles(await connected(), location, folder),
    read: async (file, start, end) => {
      // S3 has no empty range; a file of 0 bytes is read whole.
      if (start >= end && file.sizeBytes > 0) return Readable.from([]);
      return await readRange(await connected(), location, file, start, end);
    },
  };
}

interface Location {
  readonly bucket: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
}

/** The two requests this store makes. */
interface S3Requests {
  list(input: ListObjectsV2CommandInput): Promise<ListObjectsV2CommandOutput>;
  get(input: GetObjectCommandInput): Promise<GetObjectCommandOutput>;
}

function parseLocation(url: string): Location {
  const [, bucket, path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(url) ?? [];
  if (bucket === undefined) {
    throw new StoreError('missing', `${JSON.stringify(url)} names no bucket: write s3://bucket/prefix.`);
  }
  const prefix = path.replace(/^\/+|\/+$/g, '');
  return { bucket, prefix: prefix && `${prefix}/` };
}

async function connect(options: S3StoreOptions): Promise<S3Requests> {
  const { attempts = 3, connectionTimeoutMs = 3_000, socketTimeoutMs = 5_000, ...overrides } = options;
  const { S3Client, GetObjectCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    retryMode: 'standard',
    maxAttempts: attempts,
    followRegionRedirects: true,
    // S3 has no checksum for a byte range; files.json has the ones that are checked.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: socketTimeoutMs },
    ...overrides,
  });
  return {
    list: (input) => client.send(new ListObjectsV2Command(input)),
    get: (input) => client.send(new GetObjectCommand(input)),
  };
}

async function listFiles(requests: S3Requests, location: Location, folder: string): Promise<StoredFile[]> {
  const folderPrefix = folder.replace(/\/+$/, '');
  const prefix = location.prefix + (folderPrefix && `${folderPrefix}/`);
  const files: StoredFile[] = [];
  let token: string | undefined;
  do {
    const page = await requests
      .list({ Bucket: location.bucket, Prefix: prefix, ContinuationToken: token })
      .catch((error: unknown) => {
        throw toStoreError(error, location.bucket, prefix, 's3:ListBucket');
      });
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

async function readRange(
  requests: S3Requests,
  { bucket, prefix }: Location,
  file: StoredFile,
  start: number,
  end: number,
): Promise<Readable> {
  const key = prefix + file.path;
  const range = file.sizeBytes > 0 ? { Range: `bytes=${start}-${end - 1}` } : {};
  const answer = await requests
    .get({ Bucket: bucket, Key: key, IfMatch: file.etag, ...range })
    .catch((error: unknown) => {
      throw toStoreError(error, bucket, key, 's3:GetObject');
    });
  const body = answer.Body;
  if (!(body instanceof Readable))
    throw new StoreError('unreachable', `S3 sent no body for ${bucket}/${key}.`);
  // Some servers of the protocol ignore If-Match or Range.
  if (answer.ETag !== file.etag) {
    body.destroy();
    throw new StoreError('changed', describe('changed', bucket, key, 's3:GetObject'));
  }
  if (answer.ContentLength !== end - start) {
    body.destroy();
    throw new StoreError(
      'unreachable',
      `S3 sent ${answer.ContentLength} bytes of ${bucket}/${key} where bytes ${start} to ${end} were asked for.`,
    );
  }
  return body;
}

/** What the SDK's errors mean where their HTTP status does not tell; S3 answers 400 to many a bad credential. */
const REASON_OF_NAME: Readonly<Record<string, StoreErrorReason>> = {
  NoSuchBucket: 'missing',
  NoSuchKey: 'missing',
  InvalidBucketName: 'missing',
  PreconditionFailed: 'changed',
  InvalidRange: 'changed',
  ExpiredToken: 'denied',
  InvalidToken: 'denied',
  TokenRefreshRequired: 'denied',
  CredentialsProviderError: 'denied',
};
const REASON_OF_STATUS: Readonly<Record<number, StoreErrorReason>> = {
  401: 'denied',
  403: 'denied',
  404: 'missing',
  412: 'changed',
  416: 'changed',
};

function toStoreError(error: unknown, bucket: string, key: string, action: string): StoreError {
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error) ?? 0;
  const reason = REASON_OF_NAME[name] ?? REASON_OF_STATUS[status] ?? 'unreachable';
  const said = error instanceof Error ? ` S3 client: ${error.name}: ${error.message}` : '';
  return new StoreError(reason, describe(reason, bucket, key, action) + said, error);
}

function describe(reason: StoreErrorReason, bucket: string, key: string, action: string): string {
  const place = `s3://${bucket}/${key}`;
  switch (reason) {
    case 'missing':
      return `${place} does not exist: check MODEL_REPOSITORY and the region.`;
    case 'denied':
      return `${place} is not allowed: give this server's credentials ${action} on it.`;
    case 'changed':
      return `${place} changed since it was listed. Published versions are immutable: publish a new one instead.`;
    default:
      return `${place} cannot be reached: check AWS_REGION, AWS_ENDPOINT_URL_S3 and the network's way to S3.`;
  }
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
