import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { portOf } from '../port-of.ts';

export interface JsonRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The number of its connection. */
  readonly connection: number;
  readonly text: string;
  readonly json: ReturnType<typeof JSON.parse>;
}

/** A status and a body, `cut` for the end of the connection, or `silence`. */
export type JsonAnswer = readonly [status: number, body: unknown] | 'cut' | 'silence';

export interface JsonServer {
  readonly url: string;
  readonly requests: JsonRequest[];
  /** Answers to the next requests, before those of the server. */
  readonly faults: JsonAnswer[];
  /** Ends the idle connections, as a restart does. */
  cutAll(): void;
  close(): Promise<void>;
}

/** A server that answers JSON with JSON. */
export async function startJsonServer(answer: (request: JsonRequest) => JsonAnswer): Promise<JsonServer> {
  const requests: JsonRequest[] = [];
  const faults: JsonAnswer[] = [];
  const connections = new Map<object, number>();
  const server = createServer(async (request, response) => {
    const { socket, method = '', url: path = '', headers } = request;
    if (!connections.has(socket)) connections.set(socket, connections.size + 1);
    const body = await text(request);
    const received = {
      method,
      path,
      headers,
      connection: connections.get(socket) ?? 0,
      text: body,
      json: body === '' ? undefined : JSON.parse(body),
    };
    requests.push(received);
    const answered = faults.shift() ?? answer(received);
    if (answered === 'silence') return;
    if (answered === 'cut') return void socket.destroy();
    const [status, content] = answered;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof content === 'string' ? content : JSON.stringify(content));
  });
  // Only the client ends connections.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    faults,
    cutAll: () => server.closeAllConnections(),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
