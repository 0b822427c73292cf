import type { AwsCredentials } from './credentials.ts';

/** A request to DynamoDB: always POST, without a query. */
export interface UnsignedRequest {
  readonly url: URL;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Signing {
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly now: Date;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'dynamodb';

/**
 * The headers of a request with its signature. Source: AWS Signature Version 4, in the reference of AWS's identity
 * service.
 */
export function signRequest(
  { url, headers, body }: UnsignedRequest,
  { region, credentials, now }: Signing,
): Readonly<Record<string, string>> {
  const { createHash, createHmac } = process.getBuiltinModule('node:crypto');
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (above: string | Buffer, text: string) => createHmac('sha256', above).update(text).digest();
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signed: Readonly<Record<string, string>> = {
    ...headers,
    host: url.host,
    'x-amz-date': time,
    ...(sessionToken !== undefined && sessionToken !== '' && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(signed).sort();
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
  const canonical = ['POST', url.pathname, '', lines, names.join(';'), hash(body)].join('\n');
  const date = time.slice(0, 8);
  const scope = [date, region, SERVICE, 'aws4_request'];
  const key = scope.reduce<string | Buffer>((above, part) => hmac(above, part), `AWS4${secretAccessKey}`);
  const signature = createHmac('sha256', key)
    .update([ALGORITHM, time, scope.join('/'), hash(canonical)].join('\n'))
    .digest('hex');
  const authorization = `${ALGORITHM} Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...signed, authorization };
}
