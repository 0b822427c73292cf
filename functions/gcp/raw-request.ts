import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

/** A request as Express passes it on: it keeps an `originalUrl` that is there already. */
export type RawRequest = IncomingMessage & { originalUrl?: string };

/**
 * Keeps the functions framework from looking into requests before the function does. On its own it answers malformed
 * JSON, unknown encodings and bad percent escapes with an HTML page, inflates bodies without a limit worth the name,
 * and parses JSON that is parsed again here. Its parsers skip requests without framing headers and its router sees
 * the URL, so both are taken away as each request starts: Node itself has read the headers already, `rawHeaders`
 * keeps them, and `originalUrl` keeps the URL.
 */
export function bypassFramework(): void {
  subscribe('http.server.request.start', (message) => {
    const request = requestOf(message);
    if (!request) return;
    delete request.headers['content-length'];
    delete request.headers['transfer-encoding'];
    request.originalUrl = request.url ?? '/';
    request.url = '/';
  });
}

function requestOf(message: unknown): RawRequest | undefined {
  const isMessage = typeof message === 'object' && message !== null && 'request' in message;
  return isMessage && isIncoming(message.request) ? message.request : undefined;
}

function isIncoming(value: unknown): value is RawRequest {
  return (
    typeof value === 'object' && value !== null && 'headers' in value && typeof value.headers === 'object'
  );
}
