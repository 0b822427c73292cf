import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Agent, request as sendRequest } from 'node:http';
import { join } from 'node:path';
import { findFreePort } from '../support/hosts/child-process.ts';
import { NODE_FLAGS } from '../support/node-flags.ts';
import { PROJECT } from '../support/project.ts';
import type { LoadRequest } from './load/load.ts';
import { type Usage, usageOf } from './process-usage.ts';

export interface ServerCommand {
  /** The program and its arguments; by default the script of a program of Node, with the flags of `npm start`. */
  readonly command: (port: number) => readonly [program: string, ...args: string[]];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Where its output is written to; by default it is thrown away. */
  readonly logFile?: string;
}

/** A server in a process of its own. */
export interface MeasuredServer {
  readonly port: number;
  /** Milliseconds from the start of the process to its first answer. */
  readonly firstAnswerMs: number;
  usage(): Usage;
  stop(): Promise<void>;
}

/** The same for all: one thread for each run, no log, no telemetry. */
export const ENVIRONMENT = {
  LOG_LEVEL: 'silent',
  INTRA_OP_THREADS: '1',
  NODE_ENV: 'production',
  ORT_DISABLE_TELEMETRY: '1',
} as const;

const MOST_START_MS = 60_000;

/** A script of Node as a command, with the flags that `npm start` uses. */
export function nodeCommand(script: string, ...args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, ...NODE_FLAGS, script, ...args];
}

/** `ternion serve`, as it is built in a folder of the project. */
export function serveCommand(
  repository = join(PROJECT, 'models'),
  project = PROJECT,
): ServerCommand['command'] {
  const script = join(project, 'dist/cli/index.mjs');
  return (port) => nodeCommand(script, 'serve', `--port=${port}`, `--repository=${repository}`);
}

/** The functions framework with the function of a built target. */
export function frameworkCommand(target: string, project = PROJECT): ServerCommand['command'] {
  const script = join(project, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
  const source = join(project, 'dist', target, 'index.mjs');
  return (port) => nodeCommand(script, `--source=${source}`, '--target=ternion', `--port=${port}`);
}

/** A script of this folder that takes the port as its first argument. */
export function benchCommand(script: string, ...args: readonly string[]): ServerCommand['command'] {
  return (port) => nodeCommand(join(import.meta.dirname, script), String(port), ...args);
}

/**
 * Starts a server and waits for its first answer with status 200.
 *
 * @throws Error if there is no such answer within a minute
 */
export async function startServer(server: ServerCommand, first: LoadRequest): Promise<MeasuredServer> {
  const port = await findFreePort();
  const [program, ...args] = server.command(port);
  const output = server.logFile === undefined ? 'ignore' : openSync(server.logFile, 'w');
  const startMs = performance.now();
  const child = spawn(program, args, {
    cwd: server.cwd ?? PROJECT,
    env: { ...process.env, ...ENVIRONMENT, ...server.environment },
    stdio: ['ignore', output, 'ignore'],
    // A group of its own, so that its workers end with it.
    detached: true,
  });
  RUNNING.add(child);
  if (typeof output === 'number') closeSync(output);
  let failure: unknown;
  child.once('error', (error) => (failure = error));
  const agent = new Agent({ keepAlive: true });
  try {
    while (!(await isAnswered(port, first, agent))) {
      if (failure !== undefined || hasEnded(child) || performance.now() - startMs > MOST_START_MS) {
        await stop(child);
        throw new Error(`no answer from ${[program, ...args].join(' ')}: ${failure ?? child.exitCode}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  } finally {
    agent.destroy();
  }
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} was not started`);
  return {
    port,
    firstAnswerMs: performance.now() - startMs,
    usage: () => usageOf(pid),
    stop: () => stop(child),
  };
}

async function isAnswered(port: number, first: LoadRequest, agent: Agent): Promise<boolean> {
  try {
    return (await ask(port, first, agent)).status === 200;
  } catch {
    // It does not listen yet.
    return false;
  }
}

/** Sends one request, and returns its status and the time to the end of the answer. */
export function ask(
  port: number,
  { method, path, headers, body }: LoadRequest,
  agent: Agent,
): Promise<{ readonly status: number; readonly ms: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const outgoing = sendRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { ...headers, 'content-length': String(body.length) },
        agent,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            ms: performance.now() - startMs,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const exited = once(child, 'exit');
  killGroup(child);
  await exited;
  RUNNING.delete(child);
}

/** Servers would outlive a benchmark that was interrupted. */
const RUNNING = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of RUNNING) killGroup(child);
});

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || hasEnded(child)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
