import { parseArgs } from 'node:util';
import type { Host } from '../host.ts';
import type { HttpFunction } from '../http-function.ts';
import { printable } from '../printable.ts';
import { ListenError, startServer } from '../server.ts';

/** Listens where `--host` and `--port` say, until a signal comes. Ends the process when it cannot. */
export async function serve(host: Host, handle: HttpFunction): Promise<void> {
  const { values } = parseArgs({
    options: { host: { type: 'string', default: 'localhost' }, port: { type: 'string', default: '8080' } },
  });
  const options = { port: Number(values.port), hostname: values.host, handle };
  const server = await startServer(host, options).catch((error: unknown) => {
    if (!(error instanceof ListenError)) throw error;
    console.error(printable(error.message));
    process.exit(1);
  });
  // A terminal sends its signal to the whole group, and the process that started this one passes it on once more.
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
  await server.close(0);
  await host.app.close();
}
