import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { portOf } from '../port-of.ts';
import { PROJECT } from '../project.ts';
import { TEST_ENVIRONMENT } from './environment.ts';
import { sendOverHttp, type TestHost } from './test-host.ts';

export interface ChildHost extends TestHost {
  readonly port: number;
  readonly process: ChildProcess;
  /** The log of the server so far. */
  output(): string;
}

/** Changes the copy of a bundle before it is started. */
export type Prepare = (folder: string) => Promise<void>;

interface ChildOptions {
  /** A built target or its folder, copied to an empty folder outside of the project and run there. */
  readonly target: string;
  /** Script of the project that runs it, with its arguments made from the folder and the port. */
  readonly command: (folder: string, port: number) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly prepare?: Prepare | undefined;
}

/** Starts a bundle in a process of its own and waits until it answers. */
async function openChild({ target, command, environment = {}, prepare }: ChildOptions): Promise<ChildHost> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-bundle-'));
  await cp(resolve(PROJECT, 'dist', target), folder, { recursive: true });
  await prepare?.(folder);
  const port = await findFreePort();
  let output = '';
  const child = spawn(process.execPath, [...command(folder, port)], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      PORT: String(port),
      ...TEST_ENVIRONMENT,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  try {
    await waitForAnswer(port, child, () => output);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    port,
    process: child,
    output: () => output,
    send: (request) => sendOverHttp(port, request),
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A Google Cloud bundle in the real functions framework. */
export function openFunctionsFramework(
  target: string,
  environment: ChildOptions['environment'] = {},
  prepare?: Prepare,
): Promise<ChildHost> {
  const script = join(PROJECT, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
  return openChild({
    target,
    command: (folder, port) => [
      script,
      `--source=${join(folder, 'index.mjs')}`,
      '--target=ternion',
      `--port=${port}`,
    ],
    environment,
    prepare,
  });
}

/** The bundle of Google Cloud with a server of its own. */
export function openServerBundle(
  target: string,
  environment: ChildOptions['environment'] = {},
  prepare?: Prepare,
): Promise<ChildHost> {
  return openChild({
    target,
    command: (folder) => [join(folder, 'index.mjs')],
    environment,
    prepare,
  });
}

/** The local bundle as `npm start` runs it. */
export function openLocalServer(environment: ChildOptions['environment'] = {}): Promise<ChildHost> {
  return openChild({
    target: 'local',
    command: (folder, port) => [join(folder, 'index.mjs'), `--port=${port}`],
    environment,
  });
}

export function openAzureBundle(
  target: string,
  environment: ChildOptions['environment'] = {},
  prepare?: Prepare,
): Promise<ChildHost> {
  return openChild({
    target,
    command: (folder, port) => [join(PROJECT, 'test/support/hosts/azure-process.ts'), folder, String(port)],
    environment,
    prepare,
  });
}

async function waitForAnswer(port: number, child: ChildProcess, output: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server exited with ${child.exitCode}: ${output()}`);
    const answered = await sendOverHttp(port, {
      method: 'OPTIONS',
      path: '/predict',
      headers: {},
      body: Buffer.alloc(0),
    }).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}
