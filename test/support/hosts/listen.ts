import { portOf } from '../port-of.ts';
import { createAnsweringServer } from './answering-server.ts';
import type { TestHost } from './test-host.ts';

export interface Listener {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a host over HTTP on a port of its own, for clients that bring their own connections. */
export async function listen(host: TestHost): Promise<Listener> {
  const server = createAnsweringServer(host.send, (error, outgoing) =>
    outgoing.destroy(error instanceof Error ? error : undefined),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await host.close();
    },
  };
}
