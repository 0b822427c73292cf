import { parseArgs } from 'node:util';
import { StoreError } from '../../shared/stores/model-store.ts';
import type { Host } from '../host.ts';
import type { HttpFunction } from '../http-function.ts';
import { printable } from '../printable.ts';
import { ListenError, startServer } from '../server.ts';

/** Ends the process where the folder of the models is not there, which no restart would mend. */
export async function checkRepository({ app, config }: Host): Promise<void> {
  await app.inference.repository.list().catch((error: unknown) => {
    // What cannot be reached now may be there later: requests are told then.
    if (!(error instanceof StoreError) || error.reason !== 'missing') return;
    console.error(printable(`MODEL_REPOSITORY=${JSON.stringify(config.modelRepository)}: ${error.message}`));
    process.exit(1);
  });
}

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
