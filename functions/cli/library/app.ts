import type { IncomingMessage, ServerResponse } from 'node:http';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { HeaderList } from '../../../shared/http/header-list.ts';
import { prepareOwnCode, toStandardResponse } from '../../../shared/own-requests.ts';
import type { OwnCode } from '../../../shared/processors/own-code.ts';
import { collectWhenIdle } from '../../collect-when-idle.ts';
import { createContext, type Host } from '../../host.ts';
import { createHttpFunction } from '../../http-function.ts';
import { readFetchBody } from '../../read-fetch-body.ts';
import { startServer } from '../../server.ts';
import { openHost } from '../open-host.ts';

export interface AppOptions extends OwnCode {
  /** Folder, or `s3://`, `gs://` or `az://` URL, with the models; by default MODEL_REPOSITORY, else `models`. */
  readonly repository?: string;
  /** The prefix of all paths, for frameworks that pass the whole path: `/ml`. */
  readonly basePath?: string;
  /** Variables of docs/configuration.md, which override those of the process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What `createApp` takes. */
export interface MountOptions extends AppOptions {
  /**
   * Whether answers are compressed for clients that accept it; true by default. Next compresses them itself, and drops
   * the header of those that are compressed already.
   */
  readonly compress?: boolean;
}

/** All models of a repository as a part of another server. */
export interface TernionApp {
  /** Answers a request of the Fetch standard: for Hono, Next and others. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Answers a request of Node: for `node:http`, Express and Fastify. */
  readonly node: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Loads the models that PRELOAD_MODELS names, so that the first request need not. */
  readonly preload: () => Promise<void>;
  /** Frees all models. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a part of another server that answers for all models of a repository.
 *
 * @throws ConfigError
 */
export function createApp({ compress = true, ...options }: MountOptions = {}): TernionApp {
  const host = hostOf(options);
  const answer = createHttpFunction(host, { isMounted: true, compress });
  const { app, config } = host;
  return {
    fetch: async (request) => {
      await app.start();
      const { url, method, signal } = request;
      const headers = new HeaderList(request.headers);
      if (!compress) headers.delete('accept-encoding');
      const part = app.bodyRoom.open(signal);
      const context = createContext(headers, undefined, { signal, body: part });
      try {
        const body = await readFetchBody(request, config.limits.bodyBytes, part);
        const response = await app.fetch(new BytesRequest(url, { method, headers }, body), context);
        return await toStandardResponse(response);
      } finally {
        part.close();
        void host.runWaitingWork(context);
      }
    },
    node: async (request, response) => {
      await app.start();
      await answer(request, response);
    },
    preload: () => host.app.preload(),
    close: () => host.app.close(),
  };
}

export interface ServeOptions extends AppOptions {
  /** 8080 by default; 0 for any free one. */
  readonly port?: number;
  /** `localhost` by default, so that only this machine can reach it. */
  readonly hostname?: string;
}

export interface TernionServer {
  readonly url: string;
  /**
   * Ends without losing a request, and frees all models.
   *
   * @param graceMs how long it accepts requests meanwhile; 0 by default
   */
  readonly close: (graceMs?: number) => Promise<void>;
}

/**
 * Serves all models of a repository, as `ternion serve` does.
 *
 * @throws ConfigError, ListenError
 */
export async function serve({
  port = 8080,
  hostname = 'localhost',
  ...options
}: ServeOptions = {}): Promise<TernionServer> {
  const host = hostOf(options);
  await host.app.preload();
  const handle = collectWhenIdle(createHttpFunction(host));
  const server = await startServer(host, { port, hostname, handle });
  return {
    url: server.url,
    close: async (graceMs = 0) => {
      await server.close(graceMs);
      await host.app.close();
    },
  };
}

function hostOf({ repository, basePath, environment = {}, ...code }: AppOptions): Host {
  const hasCode = Object.values(code).some((member) => member !== undefined);
  return openHost({
    repository,
    environment: { ...(basePath !== undefined && { BASE_PATH: basePath }), ...environment },
    isServer: true,
    own: hasCode ? prepareOwnCode(code) : undefined,
  });
}
