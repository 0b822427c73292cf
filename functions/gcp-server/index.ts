import { once } from 'node:events';
import { endWith } from '../end-with.ts';
import { openHost } from '../gcp/open-host.ts';
import { SCRAPED } from '../scraped-metrics.ts';
import { ListenError, startServer } from '../server.ts';

/** Cloud Run sets PORT. */
const DEFAULT_PORT = 8080;

const { host, answer } = await openHost(import.meta.dirname, SCRAPED);
const server = await startServer(host, {
  port: Number(process.env.PORT || DEFAULT_PORT),
  hostname: '0.0.0.0',
  handle: answer,
}).catch((error: unknown) => {
  if (!(error instanceof ListenError)) throw error;
  return endWith(error.message);
});
await once(process, 'SIGTERM');
// Cloud Run sends no requests to an instance that it ends.
await server.close(0);
await host.app.close();
