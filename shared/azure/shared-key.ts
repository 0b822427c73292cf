export interface UnsignedRequest {
  readonly method: string;
  /** With its path as it is sent. */
  readonly url: URL;
  /** With names in lower case, among them `x-ms-date`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of its body. */
  readonly sizeBytes: number;
}

/** The headers in the signature that do not begin with `x-ms-`, in their order. */
const SIGNED = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];

/**
 * The header `Authorization` of a request to Azure Storage.
 *
 * @param key in base64
 * Source: "Authorize with Shared Key" in the reference of Azure Storage.
 */
export function signWithKey(
  { method, url, headers, sizeBytes }: UnsignedRequest,
  { account, key }: { readonly account: string; readonly key: string },
): string {
  const named = { ...headers, 'content-length': sizeBytes === 0 ? '' : String(sizeBytes) };
  const lines = SIGNED.map((name) => new Map(Object.entries(named)).get(name) ?? '');
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${headers[name]}`);
  const query = [...url.searchParams].map(([name, value]) => `${name.toLowerCase()}:${value}`).sort();
  const resource = [`/${account}${url.pathname}`, ...query];
  const signature = process
    .getBuiltinModule('node:crypto')
    .createHmac('sha256', Buffer.from(key, 'base64'))
    .update([method, ...lines, ...own, ...resource].join('\n'))
    .digest('base64');
  return `SharedKey ${account}:${signature}`;
}
