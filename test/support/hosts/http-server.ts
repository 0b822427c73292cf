import { createServer } from 'node:http';
import { createHttpFunction } from '../../../functions/http-function.ts';
import { portOf } from '../port-of.ts';
import { createTestHost } from './in-process.ts';

/** Serves the app with a server of Node in this process, for clients that need an address. */
export interface HttpServer {
  readonly port: number;
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

export async function openHttpServer(environment?: Readonly<Record<string, string>>): Promise<HttpServer> {
  const host = createTestHost(environment);
  const answer = createHttpFunction(host);
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: unknown) => outgoing.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await host.app.close();
    },
  };
}
