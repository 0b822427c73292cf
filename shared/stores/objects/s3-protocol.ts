import { type AwsCredentials, domainOf, type Environment } from '../../aws/credentials.ts';
import { escapeForAws, signRequest } from '../../aws/sign.ts';
import { type Kept, keepFresh } from '../../keep-fresh.ts';
import { StoreError, type StoreErrorReason } from '../model-store.ts';
import type { GetConditions, ObjectAnswer, ObjectPage, ObjectProtocol, Refusal } from './protocol.ts';
import { elementsOf, textOf } from './xml.ts';

export interface S3Connection {
  readonly bucket: string;
  /** Undefined if the store says it with its first answer. */
  readonly region: string | undefined;
  /** Another address than Amazon's. */
  readonly endpoint: string | undefined;
  /** Whether the bucket is in the path, and not in the name of the server. */
  readonly forcePathStyle: boolean;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly environment: Environment;
}

/** The reasons of codes whose status is ambiguous: S3 answers 400 to many bad credentials. */
const REASON_OF_CODE: Readonly<Record<string, StoreErrorReason>> = {
  NoSuchBucket: 'missing',
  NoSuchKey: 'missing',
  InvalidBucketName: 'missing',
  PreconditionFailed: 'changed',
  ConditionalRequestConflict: 'changed',
  InvalidRange: 'changed',
  ExpiredToken: 'denied',
  InvalidToken: 'denied',
  TokenRefreshRequired: 'denied',
};
const REASON_OF_STATUS: Readonly<Record<number, StoreErrorReason>> = {
  401: 'denied',
  403: 'denied',
  404: 'missing',
  412: 'changed',
  416: 'changed',
};
const EXPIRED: ReadonlySet<string> = new Set(['ExpiredToken', 'TokenRefreshRequired']);
const CONTAINER: ReadonlySet<string> = new Set(['NoSuchBucket', 'InvalidBucketName']);
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const BODY_SHA256 = 'x-amz-content-sha256';

/**
 * The protocol of S3. Source: the reference of the API of Amazon S3; its User Guide, "How to prevent object overwrites
 * with conditional writes".
 */
export function createS3Protocol(connection: S3Connection): ObjectProtocol {
  const credentials: Kept<AwsCredentials> = keepFresh('credentials of AWS', connection.credentials);
  let region = connection.region;
  let used: AwsCredentials | undefined;

  const urlOf = (key: string, query: Readonly<Record<string, string | undefined>> = {}): URL => {
    const { base, path } = addressOf(connection, region ?? DEFAULT_REGION);
    const escaped = key.split('/').map(escapeForAws).join('/');
    const pairs = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${escapeForAws(value)}`],
    );
    const below = escaped === '' && path !== '' ? path : `${path}/${escaped}`;
    return new URL(`${base}${below}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`);
  };

  return {
    title: 'S3',
    permissions: {
      list: 's3:ListBucket',
      read: 's3:GetObject',
      write: 's3:PutObject',
      remove: 's3:DeleteObject',
    },
    advice: {
      missing: 'check MODEL_REPOSITORY and the region',
      unreachable: 'check AWS_REGION, AWS_ENDPOINT_URL_S3 and the network route to S3',
    },
    largest: { bytes: 5 * 1024 ** 3, text: '5 GiB' },
    needsMd5: false,
    list: (prefix, start) => ({
      method: 'GET',
      // Keys may have characters that XML has not.
      url: urlOf('', {
        'list-type': '2',
        prefix,
        'continuation-token': start,
        'encoding-type': 'url',
      }),
      headers: {},
    }),
    readPage,
    get: (key, conditions) => ({ method: 'GET', url: urlOf(key), headers: headersOf(conditions) }),
    put: (key, content, replaced) => ({
      method: 'PUT',
      url: urlOf(key),
      headers: {
        [BODY_SHA256]: content.sha256,
        'x-amz-checksum-sha256': Buffer.from(content.sha256, 'hex').toString('base64'),
        ...(replaced === undefined ? { 'if-none-match': '*' } : { 'if-match': replaced }),
      },
      content,
    }),
    remove: (key, etag) => ({ method: 'DELETE', url: urlOf(key), headers: { 'if-match': etag } }),
    etagOf: ({ headers }) => headers.etag,
    refusalOf,
    prove: async ({ method, url, headers }, { now, refused, signal }) => {
      // Another request may have replaced them already.
      const isUsed = refused?.authorization?.includes(`Credential=${used?.accessKeyId}/`) === true;
      const own = await credentials(signal, isUsed ? used : undefined).catch((error: unknown) => {
        signal.throwIfAborted();
        const said = error instanceof Error ? error.message : String(error);
        throw new StoreError('denied', `There are no credentials for S3: ${said}.`, error);
      });
      used = own;
      const bodySha256 = headers[BODY_SHA256] ?? EMPTY_SHA256;
      return signRequest(
        { method, url, headers: { ...headers, [BODY_SHA256]: bodySha256 }, bodySha256 },
        { service: 's3', region: region ?? DEFAULT_REGION, credentials: own, now },
      );
    },
    redirect: (answer, text) => {
      const wanted = regionIn(answer, text);
      if (wanted === undefined || wanted === region) return false;
      region = wanted;
      return true;
    },
  };

  function refusalOf({ status }: ObjectAnswer, text: string): Refusal {
    const code = textOf(text, 'Code') ?? '';
    const reason = REASON_OF_CODE[code] ?? REASON_OF_STATUS[status] ?? 'unreachable';
    const words = `${code || status} ${textOf(text, 'Message') ?? ''}`.trim();
    return {
      reason,
      text: words.endsWith('.') ? words : `${words}.`,
      isPassing:
        code === 'ConditionalRequestConflict' || code === 'RequestTimeout' || status === 429 || status >= 500,
      isContainer: CONTAINER.has(code),
      isExpired: EXPIRED.has(code),
    };
  }

  /** The region of the bucket, if the answer is a refusal because of another region. */
  function regionIn({ status, headers }: ObjectAnswer, text: string): string | undefined {
    if (status !== 301 && status !== 307 && status !== 400) return undefined;
    return headers['x-amz-bucket-region'] ?? textOf(text, 'Region');
  }
}

/** Whose name for the servers leads to each bucket. */
const DEFAULT_REGION = 'us-east-1';

function addressOf(
  { bucket, endpoint, forcePathStyle, environment }: S3Connection,
  region: string,
): { readonly base: string; readonly path: string } {
  const isOn = (name: string) => environment[name]?.toLowerCase() === 'true';
  const fips = isOn('AWS_USE_FIPS_ENDPOINT') ? '-fips' : '';
  const dual = isOn('AWS_USE_DUALSTACK_ENDPOINT') ? '.dualstack' : '';
  const base = endpoint?.replace(/\/+$/, '') ?? `https://s3${fips}${dual}.${region}.${domainOf(region)}`;
  const { protocol, hostname } = new URL(base);
  // A certificate is for one level of names, and an address has no names below it.
  const fits = /^[a-z0-9-]+$/.test(bucket) || protocol === 'http:';
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  if (forcePathStyle || isAddress || !fits || !/^[a-z0-9.-]+$/.test(bucket))
    return { base, path: `/${escapeForAws(bucket)}` };
  return { base: base.replace('://', `://${bucket}.`), path: '' };
}

function headersOf({ range, etag, known }: GetConditions): Readonly<Record<string, string>> {
  return {
    ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
    ...(etag !== undefined && { 'if-match': etag }),
    ...(known !== undefined && { 'if-none-match': known }),
  };
}

function readPage(xml: string): ObjectPage {
  if (!xml.includes('<ListBucketResult')) throw new Error('the answer is not a listing of S3');
  const isEncoded = textOf(xml, 'EncodingType') === 'url';
  const decode = (key: string) => (isEncoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key);
  const objects = elementsOf(xml, 'Contents').flatMap((each) => {
    const [key, size, etag] = [textOf(each, 'Key'), textOf(each, 'Size'), textOf(each, 'ETag')];
    if (key === undefined || size === undefined || etag === undefined) return [];
    return [{ key: decode(key), sizeBytes: Number(size), etag }];
  });
  const isTruncated = textOf(xml, 'IsTruncated') === 'true';
  return { objects, next: isTruncated ? textOf(xml, 'NextContinuationToken') : undefined };
}
