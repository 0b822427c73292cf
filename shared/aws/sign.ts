import type { AwsCredentials } from './credentials.ts';

export interface UnsignedRequest {
  readonly method: string;
  /** With its path and query escaped as `escapeForAws` does. */
  readonly url: URL;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The SHA-256 of the body in hex, or `UNSIGNED-PAYLOAD` for a service that takes it. */
  readonly bodySha256: string;
}

export interface Signing {
  readonly service: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly now: Date;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * The headers of a request with its signature. Source: AWS Signature Version 4, in the reference of AWS's identity
 * service.
 */
export function signRequest(
  { method, url, headers, bodySha256 }: UnsignedRequest,
  { service, region, credentials, now }: Signing,
): Readonly<Record<string, string>> {
  const { createHmac } = process.getBuiltinModule('node:crypto');
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
  const query = url.search.slice(1).split('&').sort().join('&');
  const canonical = [method, url.pathname, query, lines, names.join(';'), bodySha256].join('\n');
  const scope = [time.slice(0, 8), region, service, 'aws4_request'];
  const key = scope.reduce<string | Buffer>((above, part) => hmac(above, part), `AWS4${secretAccessKey}`);
  const signature = createHmac('sha256', key)
    .update([ALGORITHM, time, scope.join('/'), sha256Of(canonical)].join('\n'))
    .digest('hex');
  return {
    ...signed,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

/** The SHA-256 of a text in hex. */
export function sha256Of(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}

/** Escapes a part of a path, or of a query, as AWS signs it: all but letters, digits and `-._~`. */
export function escapeForAws(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
