import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BlobRequest,
  type Container,
  parseRequest,
  removeBlob,
  sendBlob,
  sendError,
  sendListing,
  signatureOf,
  takeBlob,
  toBlob,
} from './blob-protocol.ts';
import { portOf } from './port-of.ts';
import { readFolder, type StoreFault, StoreFaults, staysUnanswered } from './store-faults.ts';

export interface BlobServerOptions {
  readonly container?: string;
  /** Blobs by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** A folder whose files become blobs. */
  readonly folder?: string;
  /** Most names of one page of a listing; Azure itself has 5000. */
  readonly pageNames?: number;
  /** How far the clock of the server is ahead. */
  readonly aheadMs?: number;
}

export interface BlobServer {
  /** The address of the account. */
  readonly endpoint: string;
  /** What a client needs to use the key of the account. */
  readonly environment: { readonly AZURE_STORAGE_CONNECTION_STRING: string };
  /** The tokens that it accepts. */
  readonly tokens: Set<string>;
  readonly requests: BlobRequest[];
  /** Names of all blobs, in their order. */
  keys(): readonly string[];
  put(key: string, content: string | Uint8Array): void;
  remove(key: string): void;
  addFault(fault: StoreFault<BlobRequest>): void;
  clearFaults(): void;
  close(): Promise<void>;
}

interface State extends Container {
  readonly requests: BlobRequest[];
  readonly faults: StoreFaults<BlobRequest>;
  readonly tokens: Set<string>;
  readonly aheadMs: number;
}

export const ACCOUNT = 'ternion';
export const KEY = Buffer.from('the key of a test').toString('base64');
export const SIGNATURE = 'sv=2021-12-02&sp=rl&sig=te%2Bst%3D';
/** How old a request may be. */
const MOST_AGE_MS = 15 * 60_000;

/** Serves one container of one account over the protocol of Azure Blob Storage, with faults on demand. */
export async function startBlobServer(options: BlobServerOptions = {}): Promise<BlobServer> {
  const files = { ...(options.folder === undefined ? {} : readFolder(options.folder)), ...options.files };
  const state: State = {
    name: options.container ?? 'models',
    pageNames: options.pageNames ?? 5000,
    blobs: new Map(Object.entries(files).map(([key, content]) => [key, toBlob(content)])),
    requests: [],
    faults: new StoreFaults(),
    tokens: new Set(),
    aheadMs: options.aheadMs ?? 0,
  };
  const server = createServer((message, response) => {
    answer(state, message, response).catch((error: unknown) => response.destroy(toError(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${portOf(server)}/${ACCOUNT}`;
  return {
    endpoint,
    environment: {
      AZURE_STORAGE_CONNECTION_STRING: `AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint}`,
    },
    tokens: state.tokens,
    requests: state.requests,
    keys: () => [...state.blobs.keys()].sort(),
    put: (key, content) => state.blobs.set(key, toBlob(content)),
    remove: (key) => state.blobs.delete(key),
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
  const request = parseRequest(message, ACCOUNT);
  state.requests.push(request);
  response.on('finish', () => {
    request.status = response.statusCode;
  });
  response.setHeader('date', new Date(Date.now() + state.aheadMs).toUTCString());
  const effect = state.faults.take(request);
  if (effect?.kind === 'run') await effect.action();
  if (effect?.kind === 'late') await sleep(effect.pauseMs);
  if (staysUnanswered(effect, response)) return;
  if (effect?.kind === 'refuse') return sendError(response, effect.status, effect.code);
  const refusal = refusalOf(state, request, message);
  if (refusal) return sendError(response, ...refusal);
  if (request.container !== state.name) return sendError(response, 404, 'ContainerNotFound');
  if (request.operation === 'List Blobs') return sendListing(state, request, response);
  if (request.operation === 'Get Blob') return await sendBlob(state, request, response, effect);
  if (request.operation === 'Put Blob') return await takeBlob(state, request, message, response);
  if (request.operation === 'Delete Blob') return removeBlob(state, request, response);
  return sendError(response, 400, 'UnsupportedHttpVerb');
}

/** Why a request does not prove who asks. */
function refusalOf(
  { tokens, aheadMs }: State,
  { headers, query }: BlobRequest,
  message: IncomingMessage,
): [number, string] | undefined {
  const { authorization, 'x-ms-date': date, 'x-ms-version': version } = headers;
  if (!/^20\d\d-\d\d-\d\d$/.test(String(version))) return [400, 'InvalidHeaderValue'];
  if (authorization === undefined) {
    if (query.get('sig') === null) return [401, 'NoAuthenticationInformation'];
    return query.get('sig') === new URLSearchParams(SIGNATURE).get('sig')
      ? undefined
      : [403, 'AuthenticationFailed'];
  }
  if (authorization.startsWith('Bearer '))
    return tokens.has(authorization.slice(7)) ? undefined : [401, 'InvalidAuthenticationInfo'];
  const isNow = Math.abs(Date.parse(String(date)) - Date.now() - aheadMs) < MOST_AGE_MS;
  const isRight = authorization === `SharedKey ${ACCOUNT}:${signatureOf(message, ACCOUNT, KEY)}`;
  return isNow && isRight ? undefined : [403, 'AuthenticationFailed'];
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
