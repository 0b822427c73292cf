import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type GcsBucket,
  type GcsRequest,
  keepObject,
  parseRequest,
  removeObject,
  sendError,
  sendListing,
  sendObject,
  sendText,
  takeObject,
} from './gcs-protocol.ts';
import { portOf } from './port-of.ts';
import { readFolder, type StoreFault, StoreFaults, staysUnanswered } from './store-faults.ts';

export interface GcsServerOptions {
  readonly bucket?: string;
  /** Objects by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** A folder whose files become objects. */
  readonly folder?: string;
  /** Most objects of one listing page; Cloud Storage itself has 1000. */
  readonly pageObjects?: number;
  /** Whether requests need no token, as those to an emulator. */
  readonly isOpen?: boolean;
  /** How far its clock is ahead of this machine's. */
  readonly aheadMs?: number;
}

export interface GcsServer {
  readonly url: string;
  /** What a client needs. Its tokens are those that the server accepts when they are asked for. */
  readonly client: {
    readonly endpoint: string;
    readonly token: () => Promise<{ readonly token: string }>;
  };
  readonly requests: GcsRequest[];
  /** Names of all objects, in their order. */
  names(): readonly string[];
  put(name: string, content: string | Uint8Array, isGzip?: boolean): void;
  remove(name: string): void;
  /** Refuses the tokens from before. */
  endTokens(): void;
  addFault(fault: StoreFault<GcsRequest>): void;
  clearFaults(): void;
  close(): Promise<void>;
}

interface State extends GcsBucket {
  readonly isOpen: boolean;
  readonly aheadMs: number;
  readonly requests: GcsRequest[];
  readonly faults: StoreFaults<GcsRequest>;
  /** How many tokens have ended. */
  ended: number;
}

const tokenOf = ({ ended }: State) => `token-${ended}`;

/** Serves one bucket over the JSON API of Cloud Storage, with its conditions, and with faults on demand. */
export async function startGcsServer(options: GcsServerOptions = {}): Promise<GcsServer> {
  const state: State = {
    name: options.bucket ?? 'models',
    pageObjects: options.pageObjects ?? 1000,
    objects: new Map(),
    generation: 1_735_689_600_000_000,
    isOpen: options.isOpen ?? false,
    aheadMs: options.aheadMs ?? 0,
    requests: [],
    faults: new StoreFaults(),
    ended: 0,
  };
  const files = { ...(options.folder === undefined ? {} : readFolder(options.folder)), ...options.files };
  for (const [name, content] of Object.entries(files)) keepObject(state, name, content);
  const server = createServer((message, response) => {
    answer(state, message, response).catch((error: unknown) => response.destroy(toError(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server)}`;
  return {
    url,
    client: { endpoint: url, token: async () => ({ token: tokenOf(state) }) },
    requests: state.requests,
    names: () => [...state.objects.keys()].sort(),
    put: (name, content, isGzip) => keepObject(state, name, content, isGzip),
    remove: (name) => state.objects.delete(name),
    endTokens: () => {
      state.ended += 1;
    },
    addFault: (fault) => state.faults.add(fault),
    clearFaults: () => state.faults.clear(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(state: State, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = parseRequest(message);
  state.requests.push(request);
  response.on('finish', () => {
    request.status = response.statusCode;
  });
  response.setHeader('date', new Date(Date.now() + state.aheadMs).toUTCString());
  const refuse = request.operation === 'objects.get' ? sendText : sendError;
  const effect = state.faults.take(request);
  if (effect?.kind === 'run') await effect.action();
  if (effect?.kind === 'late') await sleep(effect.pauseMs);
  if (staysUnanswered(effect, response)) return;
  if (effect?.kind === 'refuse') return refuse(response, effect.status, effect.code);
  if (!state.isOpen && request.token === undefined) {
    return refuse(response, 401, 'Anonymous caller does not have access.');
  }
  if (!state.isOpen && request.token !== tokenOf(state)) return refuse(response, 401, 'Invalid Credentials');
  if (request.bucket !== state.name) return refuse(response, 404, 'The specified bucket does not exist.');
  switch (request.operation) {
    case 'objects.list':
      return sendListing(state, request, response);
    case 'objects.get':
      return await sendObject(state, request, message, response, effect);
    case 'objects.insert':
      return await takeObject(state, request, message, response);
    case 'objects.delete':
      return removeObject(state, request, response);
    default:
      return sendError(response, 405, 'Method Not Allowed');
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
