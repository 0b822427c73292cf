import type { IncomingMessage, ServerResponse } from 'node:http';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { createContext, type Host, requestUrl } from '../host.ts';
import type { RawRequest } from './raw-request.ts';

/** What the functions framework calls: Express requests and responses are those of Node with more on them. */
export type HttpFunction = (
  request: RawRequest & { readonly rawBody?: Buffer },
  response: ServerResponse,
) => Promise<void>;

/** Serves the app as an HTTP function of Google Cloud, or on any server of Node. */
export function createHttpFunction({ app, config }: Host): HttpFunction {
  return async (incoming, outgoing) => {
    const headers = readHeaders(incoming);
    const body = incoming.rawBody ?? (await readStream(incoming, headers, config.limits.bodyBytes));
    const url = requestUrl(incoming.originalUrl ?? incoming.url ?? '/');
    const request = new BytesRequest(url, { method: incoming.method ?? 'GET', headers }, body);
    const response = await app.fetch(request, createContext(headers, undefined));
    // A body left unread would be taken for the next request on the connection, or be read to its end for nothing.
    if (!incoming.complete) response.headers.set('connection', 'close');
    const bytes = response.body === null ? undefined : await response.bytes();
    if (bytes) response.headers.set('content-length', String(bytes.length));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(bytes);
  };
}

function readHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  return headers;
}

/** The body, or as much of it as shows that it is over the limit; nothing when its declared length is. */
async function readStream(
  incoming: IncomingMessage,
  headers: Headers,
  limitBytes: number,
): Promise<Uint8Array> {
  if (Number(headers.get('content-length') ?? 0) > limitBytes) return new Uint8Array(0);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limitBytes) break;
  }
  const [only] = chunks;
  return only && chunks.length === 1 ? only : Buffer.concat(chunks, length);
}
