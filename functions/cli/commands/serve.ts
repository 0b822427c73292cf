import type { Console } from '../console.ts';
import { openHost } from '../open-host.ts';
import { readWhole } from '../read-whole.ts';
import { startServer } from '../server.ts';

export interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly grace: string;
  readonly repository?: string;
}

/** `ternion serve`: the app on our own HTTP server, until a signal ends it. */
export async function serve(options: ServeOptions, output: Console): Promise<void> {
  const port = readWhole(options.port, '--port', 0, 65_535);
  const graceMs = readWhole(options.grace, '--grace', 0, 3600) * 1000;
  const host = openHost({ repository: options.repository });
  await host.app.preload();
  const server = await startServer(host, port, options.host);
  // Listened for before anyone is told: whoever reads the line may end the server at once.
  const signalled = nextSignal();
  output.result({ url: server.url }, () => `Ternion serves ${host.config.modelRepository} at ${server.url}`);
  const signal = await signalled;
  output.note(`${signal}: no new connections; what is under way is answered.`);
  // Whoever presses Ctrl-C waits for it; a platform that sends SIGTERM goes on sending requests for a while.
  await server.close(signal === 'SIGINT' ? 0 : graceMs);
  await host.app.close();
}

/** The first signal is returned, the second one ends the process as it would have without us. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}
