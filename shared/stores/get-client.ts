import { connect, isIP, type TcpNetConnectOpts } from 'node:net';
import { Readable } from 'node:stream';
import { loadOnce } from '../memo.ts';
import { Connection } from './connection.ts';

/** A GET request with all its headers: they also name the host and prove who asks. */
export interface GetRequest {
  /** `http:` or `https:`. */
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  /** Escaped, and with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface GetAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The content, in large chunks, or the whole message of an error. The memory of a chunk is used again as soon as the
   * next one is read. If the connection breaks, it gives what has arrived, and then the error. Read it to its end, or
   * destroy it.
   */
  readonly body: Readable;
}

export interface GetClientOptions {
  /** Longest wait for a connection. */
  readonly connectionTimeoutMs: number;
  /** Longest silence of the server, before and during an answer. */
  readonly socketTimeoutMs: number;
}

export interface GetClient {
  /**
   * Sends a request, and receives the head of its answer.
   *
   * @param signal ends the connection, also while the body arrives
   * @throws the error of the socket; TimeoutError; Error when the answer is not one of HTTP/1
   */
  get(request: GetRequest, signal?: AbortSignal): Promise<GetAnswer>;
}

/** Servers close connections that had no request for 5 seconds or more. */
const MOST_IDLE_MS = 4_000;
const CHUNK_BYTES = 512 * 1024;
const NO_BYTES = Buffer.alloc(0);
/** As in Node's client. */
const MOST_HEAD_BYTES = 16 * 1024;
const MOST_MESSAGE_BYTES = 64 * 1024;

/**
 * A client of HTTP/1.1 for large bodies whose length is known, such as ranges of files. Connections are used again.
 */
export function createGetClient({ connectionTimeoutMs, socketTimeoutMs }: GetClientOptions): GetClient {
  const idle = new Map<string, Connection[]>();
  const loadTls = loadOnce(() => import('node:tls'));

  async function open({ protocol, hostname, port }: GetRequest): Promise<Connection> {
    // The brackets of an IPv6 address belong to the URL.
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const tls = protocol === 'https:' ? await loadTls() : undefined;
    const secure = { ALPNProtocols: ['http/1.1'], ...(isIP(host) ? {} : { servername: host }) };
    return new Connection(
      (onread) => {
        const address: TcpNetConnectOpts = { host, port: port ?? (tls ? 443 : 80), onread };
        return tls?.connect({ ...address, ...secure }) ?? connect(address);
      },
      tls ? 'secureConnect' : 'connect',
    );
  }

  /** A connection that waits for a request. */
  function takeIdle(key: string): Connection | undefined {
    const waiting = (idle.get(key) ?? []).filter(({ isOpen }) => isOpen);
    const connection = waiting.pop();
    if (waiting.length > 0) idle.set(key, waiting);
    else idle.delete(key);
    connection?.wake();
    return connection;
  }

  function keep(key: string, connection: Connection): void {
    idle.set(key, [...(idle.get(key) ?? []), connection]);
    connection.rest(MOST_IDLE_MS);
  }

  async function exchange(
    connection: Connection,
    request: GetRequest,
    signal: AbortSignal | undefined,
  ): Promise<GetAnswer> {
    const stop = () => connection.destroy(signal?.reason);
    signal?.addEventListener('abort', stop);
    const end = (isReusable: boolean) => {
      signal?.removeEventListener('abort', stop);
      if (isReusable) keep(keyOf(request), connection);
      else connection.destroy();
    };
    try {
      signal?.throwIfAborted();
      await connection.opened(connectionTimeoutMs);
      connection.send(describeRequest(request));
      const head = await receiveHead(connection, socketTimeoutMs);
      const { status, headers, length } = head;
      if (status >= 200 && status < 300 && length !== undefined) {
        const body = receiveBody(connection, length, socketTimeoutMs, (isWhole) =>
          end(isWhole && head.isReusable),
        );
        return { status, headers, body };
      }
      const hasBody = status !== 204 && status !== 304;
      const message = hasBody ? await receiveMessage(connection, head, socketTimeoutMs) : NO_BYTES;
      end(!hasBody && head.isReusable);
      return { status, headers, body: Readable.from([message]) };
    } catch (error) {
      end(false);
      throw error;
    }
  }

  return {
    get: async (request, signal) => {
      signal?.throwIfAborted();
      const used = takeIdle(keyOf(request));
      if (used) {
        try {
          return await exchange(used, request, signal);
        } catch (error) {
          // Otherwise the server has closed it at the same moment.
          if (used.hasReceived || signal?.aborted) throw error;
        }
      }
      return await exchange(await open(request), request, signal);
    },
  };
}

function keyOf({ protocol, hostname, port }: GetRequest): string {
  return `${protocol}//${hostname}:${port}`;
}

/** @throws Error for a line that is not one of HTTP */
function describeRequest({ path, headers }: GetRequest): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const odd = lines.find((line) => /[^\t\x20-\x7e\x80-\xff]/.test(line));
  if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} cannot be part of a request`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

interface Head extends Omit<GetAnswer, 'body'> {
  /** Bytes of the body; undefined if they are not known yet. */
  readonly length: number | undefined;
  /** Whether the connection may be used for another request. */
  readonly isReusable: boolean;
}

async function receiveHead(connection: Connection, mostMs: number): Promise<Head> {
  const received = Buffer.alloc(MOST_HEAD_BYTES);
  let count = 0;
  for (;;) {
    count += await connection.receive(received.subarray(count), 1, mostMs);
    const end = received.subarray(0, count).indexOf('\r\n\r\n');
    if (end < 0 && count === received.length) break;
    if (end < 0) continue;
    connection.putBack(received.subarray(end + 4, count));
    const head = parseHead(received.toString('latin1', 0, end));
    // Below 200, the server has something to say before its answer.
    return head.status < 200 ? await receiveHead(connection, mostMs) : head;
  }
  throw new Error(`the head of an answer has more than ${MOST_HEAD_BYTES} bytes`);
}

function parseHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, version, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) throw new Error('the answer is not one of HTTP/1');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { 'content-length': length = '', 'transfer-encoding': coding, connection = '' } = headers;
  return {
    status: Number(status),
    headers,
    length: coding === undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    isReusable: version === '1' && !/\bclose\b/i.test(connection),
  };
}

/** @param end is called with whether all bytes have arrived */
function receiveBody(
  connection: Connection,
  length: number,
  mostMs: number,
  end: (isWhole: boolean) => void,
): Readable {
  let left = length;
  // Two pieces of memory for each body, not for each connection: the last chunk is in use when the connection is not.
  const size = Math.min(CHUNK_BYTES, length);
  let [next, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  const receive = async () => {
    const chunk = next.subarray(0, left);
    [next, other] = [other, next];
    const count = await connection.receive(chunk, chunk.length, mostMs);
    left -= count;
    return chunk.subarray(0, count);
  };
  return new Readable({
    // One chunk is received while the one before is used. There are never three.
    highWaterMark: 1,
    read() {
      if (left === 0) this.push(null);
      else
        receive().then(
          (chunk) => this.push(chunk),
          (error: unknown) => this.destroy(toError(error)),
        );
    },
    destroy: (error, callback) => {
      end(left === 0);
      callback(error);
    },
  });
}

/** The body of an answer that is not a content, such as an error. What is beyond the limit is left out. */
async function receiveMessage(
  connection: Connection,
  { headers, length = MOST_MESSAGE_BYTES }: Head,
  mostMs: number,
): Promise<Buffer> {
  const isChunked = headers['transfer-encoding'] !== undefined;
  const received = Buffer.alloc(Math.min(length, MOST_MESSAGE_BYTES));
  let count = 0;
  while (count < received.length && !(isChunked && received.subarray(0, count).includes(LAST_CHUNK))) {
    try {
      count += await connection.receive(received.subarray(count), 1, mostMs);
    } catch (error) {
      // An answer without a length ends with its connection.
      if (headers['content-length'] === undefined && !isChunked) break;
      throw error;
    }
  }
  const bytes = received.subarray(0, count);
  return isChunked ? joinChunks(bytes) : bytes;
}

const LAST_CHUNK = '\r\n0\r\n';

/** The content of a body in chunks, each with its size in hex before it. */
function joinChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const start = bytes.indexOf('\r\n', at) + 2;
    const size = Number.parseInt(bytes.toString('latin1', at, start), 16);
    if (start < 2 || !(size > 0)) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
