import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { canConnect } from '../support/hosts/can-connect.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import type { ServerCounterpart } from './counterpart.ts';
import { folderOf } from './installation.ts';

export interface RunningServer {
  readonly port: number;
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  close(): Promise<void>;
}

const MOST_START_MS = 60_000;

/**
 * Starts a counterpart on a port of this machine and waits until it listens.
 *
 * @param port by default a free one
 */
export async function startServer(counterpart: ServerCounterpart, port?: number): Promise<RunningServer> {
  return await startAt(counterpart, port ?? (await findFreePort()));
}

async function startAt(counterpart: ServerCounterpart, port: number): Promise<RunningServer> {
  const [command, ...args] = counterpart.start(folderOf(counterpart), port);
  const child = spawn(command, args, {
    env: { ...process.env, ...counterpart.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  // Without a listener, a missing command would end the tests.
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const isRunning = () => failure === undefined && child.exitCode === null && child.signalCode === null;
  const close = async () => {
    if (!isRunning()) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const lastMs = performance.now() + MOST_START_MS;
  while (!(await canConnect(port, '127.0.0.1'))) {
    if (!isRunning() || performance.now() > lastMs) {
      await close();
      throw new Error(`${counterpart.pin} does not listen on port ${port}: ${failure ?? output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return { port, url: `http://127.0.0.1:${port}`, close };
}
