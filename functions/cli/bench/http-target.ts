import { Agent as HttpAgent, request as sendHttp } from 'node:http';
import { Agent as HttpsAgent, request as sendHttps } from 'node:https';
import type { Body } from '../predict/read-body.ts';
import type { Send } from './send-load.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** A server that is measured over connections that stay open. */
export interface HttpTarget {
  readonly send: Send;
  ask(method: 'GET' | 'POST', path?: string): Promise<HttpAnswer>;
  close(): void;
}

/** Longest wait for an answer, in ms. */
const MOST_WAIT_MS = 60_000;

export function openHttpTarget(url: URL, body: Body | undefined, connections: number): HttpTarget {
  const isSecure = url.protocol === 'https:';
  const options = { keepAlive: true, maxSockets: connections };
  const agent = isSecure ? new HttpsAgent(options) : new HttpAgent(options);
  const start = isSecure ? sendHttps : sendHttp;
  const headers = {
    'content-type': body?.type ?? 'application/json',
    'content-length': String(body?.bytes.length ?? 0),
  };
  const ask: HttpTarget['ask'] = (method, path) =>
    new Promise((resolve, reject) => {
      const target = path === undefined ? url : new URL(path, url);
      const given = method === 'POST' ? { headers } : {};
      const outgoing = start(target, { method, agent, timeout: MOST_WAIT_MS, ...given }, (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(pieces).toString() }),
        );
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${MOST_WAIT_MS / 1000} s`)));
      outgoing.on('error', reject);
      outgoing.end(method === 'POST' ? body?.bytes : undefined);
    });
  return {
    ask,
    send: async () => {
      try {
        const { status, text } = await ask('POST');
        return status === 200 ? undefined : problemOf({ status, text });
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    close: () => agent.destroy(),
  };
}

const LONGEST_PROBLEM = 200;

/** The status, and what the answer says about it. */
export function problemOf({ status, text }: HttpAnswer): string {
  const [line = ''] = text.trim().split('\n', 1);
  const said = /"(?:error|message)":\s*"((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? line;
  return `status ${status}${said === '' ? '' : `: ${said.slice(0, LONGEST_PROBLEM)}`}`;
}
