import { Readable } from 'node:stream';
import type {
  _Object,
  DeleteObjectCommandInput,
  DeleteObjectCommandOutput,
  GetObjectCommandInput,
  GetObjectCommandOutput,
  ListObjectsV2CommandInput,
  ListObjectsV2CommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
  S3Client,
  S3ClientConfig,
} from '@aws-sdk/client-s3';
import { loadOnce } from '../memo.ts';
import type { GetRequest } from './get-client.ts';
import { StoreError, type StoreErrorReason } from './model-store.ts';

export type S3Object = _Object;

export interface S3StoreOptions
  extends Pick<S3ClientConfig, 'endpoint' | 'region' | 'credentials' | 'forcePathStyle'> {
  /** Tries per request; the SDK makes them with its own back-off. */
  readonly attempts?: number;
  /** Longest wait for a connection. */
  readonly connectionTimeoutMs?: number;
  /** Longest silence on a connection, before and during an answer. */
  readonly socketTimeoutMs?: number;
}

/** The S3 requests for reading. */
export interface S3Requests {
  list(input: ListObjectsV2CommandInput): Promise<ListObjectsV2CommandOutput>;
  get(input: GetObjectCommandInput, abortSignal?: AbortSignal): Promise<S3Content>;
}

export interface S3Content extends Pick<GetObjectCommandOutput, 'ETag' | 'ContentLength'> {
  readonly body: Readable;
}

/** The S3 requests for writing. */
export interface S3Writes {
  put(input: PutObjectCommandInput, abortSignal: AbortSignal): Promise<PutObjectCommandOutput>;
  remove(input: DeleteObjectCommandInput): Promise<DeleteObjectCommandOutput>;
}

const silence = () => undefined;

/**
 * Without a logger the SDK writes warnings to the console, even for expected refusals of an upload; failures are thrown
 * anyway.
 */
const SILENT = { trace: silence, debug: silence, info: silence, warn: silence, error: silence };

/** Makes a client that reads. Region, endpoint and credentials come from the SDK's default chain unless given. */
export async function connectS3(options: S3StoreOptions): Promise<S3Requests> {
  const { GetObjectCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const client = await makeClient(options);
  // A listing does not need it.
  const contents = loadOnce(async () =>
    (await import('./get-client.ts')).createGetClient({ ...TIMEOUTS, ...options }),
  );
  return {
    list: (input) => client.send(new ListObjectsV2Command(input)),
    get: async (input, abortSignal) => {
      let body = Readable.from([]);
      const command = new GetObjectCommand(input);
      // The last step of the SDK, after it has signed the request. It reads the answer, except for its content.
      command.middlewareStack.add(
        () =>
          async ({ request }) => {
            const answer = await (await contents()).get(toGetRequest(request), abortSignal);
            body = answer.body;
            return { response: { statusCode: answer.status, headers: answer.headers, body } };
          },
        { step: 'deserialize', priority: 'low' },
      );
      const { ETag, ContentLength } = await client.send(command, abortSignal && { abortSignal });
      return { ETag, ContentLength, body };
    },
  };
}

/** A request of the SDK. */
interface SdkRequest extends GetRequest {
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
}

/** @throws Error if a new version of the SDK has requests of another form */
function toGetRequest(request: unknown): GetRequest {
  if (!isSdkRequest(request)) throw new Error('the S3 client has an unknown kind of request');
  const { protocol, hostname, port, path, query, headers } = request;
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
  );
  return { protocol, hostname, port, headers, path: pairs.length > 0 ? `${path}?${pairs.join('&')}` : path };
}

function isSdkRequest(value: unknown): value is SdkRequest {
  return typeof value === 'object' && value !== null && SDK_MEMBERS.every((name) => name in value);
}

const SDK_MEMBERS = ['protocol', 'hostname', 'path', 'query', 'headers'] as const;

/** S3 may need some time to store a large object before it answers. */
const WRITE_SILENCE_MS = 120_000;

/** Makes a client that writes. */
export async function connectS3Writes(options: S3StoreOptions): Promise<S3Writes> {
  const { DeleteObjectCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
  const client = await makeClient({ socketTimeoutMs: WRITE_SILENCE_MS, ...options });
  return {
    put: (input, abortSignal) => client.send(new PutObjectCommand(input), { abortSignal }),
    remove: (input) => client.send(new DeleteObjectCommand(input)),
  };
}

const TIMEOUTS = { connectionTimeoutMs: 3_000, socketTimeoutMs: 5_000 } as const;

async function makeClient(options: S3StoreOptions): Promise<S3Client> {
  const { attempts = 3, connectionTimeoutMs, socketTimeoutMs, ...overrides } = { ...TIMEOUTS, ...options };
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({
    retryMode: 'standard',
    maxAttempts: attempts,
    followRegionRedirects: true,
    // S3 has no checksums for byte ranges; the checksums in files.json are checked instead.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: socketTimeoutMs },
    logger: SILENT,
    ...overrides,
  });
}

/** The meaning of SDK errors whose HTTP status is ambiguous: S3 answers 400 to many bad credentials. */
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

/** @param action the permission that the client needs, such as `s3:GetObject` */
export function toS3Error(error: unknown, bucket: string, key: string, action: string): StoreError {
  const name = error instanceof Error ? error.name : '';
  const status = statusOf(error) ?? 0;
  const reason = REASON_OF_NAME[name] ?? REASON_OF_STATUS[status] ?? 'unreachable';
  const said = error instanceof Error ? ` S3 client: ${error.name}: ${error.message}` : '';
  return new StoreError(reason, describeS3(reason, bucket, key, action) + said, error);
}

export function describeS3(reason: StoreErrorReason, bucket: string, key: string, action: string): string {
  const place = `s3://${bucket}/${key}`;
  switch (reason) {
    case 'missing':
      return `${place} does not exist: check MODEL_REPOSITORY and the region.`;
    case 'denied':
      return `${place} cannot be accessed: allow ${action} on it for this server's credentials.`;
    case 'changed':
      if (action !== 's3:GetObject') return `${place} was written or removed by another writer.`;
      return `${place} changed since it was listed. Published versions are immutable: publish a new one instead.`;
    default:
      return `${place} cannot be reached: check AWS_REGION, AWS_ENDPOINT_URL_S3 and the network route to S3.`;
  }
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
