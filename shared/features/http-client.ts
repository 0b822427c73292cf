import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { unavailable } from '../processors/processor.ts';

/** As for Redis: after a process was frozen, its connections may be gone without a word. */
const MOST_IDLE_MS = 30_000;
/** A page of DynamoDB has at most 16 MB. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_CONNECTIONS = 32;

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpClient {
  /**
   * Sends a request that changes nothing. If it went out on a connection from before, and that is lost, it is sent once
   * more on a new one.
   *
   * @throws what `unavailable` makes when there is no whole answer; the reason of the signal
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
}

type Send = (url: URL, options: object) => ClientRequest;

interface Transport {
  readonly send: Send;
  readonly makeAgent: () => Agent;
}

/** @param title what the server is in messages */
export function createHttpClient(title: string): HttpClient {
  let transport: Transport | undefined;
  let agent: Agent | undefined;
  let usedMs = 0;
  const open = (protocol: string) => {
    transport ??= loadTransport(protocol);
    const { send, makeAgent } = transport;
    if (Math.abs(Date.now() - usedMs) > MOST_IDLE_MS) {
      // Sockets in use stay until their requests end.
      for (const free of Object.values(agent?.freeSockets ?? {}))
        for (const socket of free ?? []) socket.destroy();
      agent = makeAgent();
    }
    usedMs = Date.now();
    return { send, agent: agent ?? makeAgent() };
  };
  return {
    send: async ({ method, url, headers, body }, signal) => {
      for (let isSecond = false; ; isSecond = true) {
        const { send, agent } = open(url.protocol);
        signal.throwIfAborted();
        const outcome = await exchange(send(url, { method, headers, agent, signal }), body);
        if ('answer' in outcome) return outcome.answer;
        signal.throwIfAborted();
        if (isSecond || !outcome.isOld) throw unavailable(`${title} cannot be reached: ${outcome.problem}`);
      }
    },
  };
}

/** An import of these modules would read all their exports, and so load Node's client with its WebSockets, too. */
function loadTransport(protocol: string): Transport {
  const { Agent, request } =
    protocol === 'http:' ? process.getBuiltinModule('node:http') : process.getBuiltinModule('node:https');
  return {
    send: request,
    makeAgent: () => new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS }),
  };
}

type Outcome =
  | { readonly answer: HttpAnswer }
  | {
      readonly problem: string;
      /** Whether the connection is from before. */
      readonly isOld: boolean;
    };

function exchange(request: ClientRequest, body: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const lose = (error: Error) => {
      const problem =
        'code' in error && typeof error.code === 'string' ? error.code : 'the connection was lost';
      resolve({ problem, isOld: request.reusedSocket });
    };
    request.on('error', lose);
    request.on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('error', lose);
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= MOST_BYTES) chunks.push(chunk);
        else request.destroy(new Error('too long'));
      });
      response.on('end', () => {
        resolve({ answer: { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() } });
      });
    });
    request.end(body);
  });
}
