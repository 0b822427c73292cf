import { type IncomingMessage, request as sendRequest } from 'node:http';

/** A request as a client sends it, before any host has touched it. */
export interface TestRequest {
  readonly method: string;
  /** Path with query, exactly as it goes over the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface TestResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A running server, of any kind. */
export interface TestHost {
  send(request: TestRequest): Promise<TestResponse>;
  close(): Promise<void>;
}

/** Sends a request over its own socket; only Host and Content-Length are added. */
export function sendOverHttp(
  port: number,
  { method, path, headers, body }: TestRequest,
): Promise<TestResponse> {
  return new Promise((resolve, reject) => {
    const sized = body.length > 0 ? { ...headers, 'content-length': String(body.length) } : headers;
    const outgoing = sendRequest(
      { host: '127.0.0.1', port, method, path, headers: sized, agent: false },
      (incoming) => readResponse(incoming).then(resolve, reject),
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The whole of an answer. */
export async function readResponse(incoming: IncomingMessage): Promise<TestResponse> {
  return { status: incoming.statusCode ?? 0, ...(await readMessage(incoming)) };
}

/** The whole of a request that a server got. */
export async function readRequest(incoming: IncomingMessage): Promise<TestRequest> {
  const { method = 'GET', url = '/' } = incoming;
  return { method, path: url, ...(await readMessage(incoming)) };
}

async function readMessage(incoming: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const received = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
  const headers: Readonly<Record<string, string>> = Object.fromEntries(received);
  return { headers, body: Buffer.concat(chunks) };
}
