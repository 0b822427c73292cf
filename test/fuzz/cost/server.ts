import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as sendRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { TestRequest } from '../../support/hosts/test-host.ts';
import { NODE_FLAGS } from '../../support/node-flags.ts';
import { PROJECT } from '../../support/project.ts';

/** What one request cost the server. */
export interface Cost {
  /** Status of the answer; 0 without an answer. */
  readonly status: number;
  /** Bytes of the answer, as they came. */
  readonly answerBytes: number;
  /** CPU of all threads, until the server was quiet again. */
  readonly cpuMs: number;
  /** Largest resident set beyond the one before the request. */
  readonly grownBytes: number;
  /** Largest resident set. */
  readonly peakBytes: number;
  /** Longest wait of `GET /health`, without the time that the machine gave to other processes. */
  readonly healthMs: number;
  readonly elapsedMs: number;
  /** Why there is no answer. */
  readonly failure: string | undefined;
}

export interface MeasuredServer {
  /**
   * Sends a request `times` times at once, and measures what they cost together. Ends the server when they take more
   * CPU time than the cap, or when its memory has grown for good.
   */
  measure(request: TestRequest, times?: number): Promise<Cost>;
  /** Starts a new process for the next request. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

interface ServerOptions {
  readonly repository: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Flags of Node, such as those of its profiler. */
  readonly flags?: readonly string[];
  /** Ends requests that take more CPU than this. */
  readonly capMs: number;
  readonly folder: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** Resident set once all models were loaded and asked. */
  readonly restBytes: number;
  readonly output: () => string;
}

/** A tick of the clock in which the kernel counts CPU: sysconf(_SC_CLK_TCK) is 100 on Linux. */
const TICK_MS = 10;
const POLL_MS = 25;
/** How much memory a server may keep after a request before a new server replaces it. */
const KEPT_BYTES = 60e6;
/** No answer, and no CPU used: the request hangs. */
const HANG_MS = 20_000;

/** The built `ternion serve` in a process of its own, with all models loaded. */
export async function openMeasuredServer(options: ServerOptions): Promise<MeasuredServer> {
  const prober = new Worker(new URL('./probe-health.ts', import.meta.url));
  let running: Running | undefined;

  async function ready(): Promise<Running> {
    if (running && isRunning(running)) {
      await collect(running);
      if (residentBytes(running) < running.restBytes + KEPT_BYTES) return running;
      await end(running);
    }
    running = await start(options);
    return running;
  }

  return {
    measure: async (request, times = 1) => {
      const server = await ready();
      const beforeBytes = residentBytes(server);
      writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
      const cpuBefore = cpuMs(server);
      const startMs = performance.now();
      await postTo(prober, { start: true, port: server.port, pid: server.pid });
      const answers = await Promise.all(
        Array.from({ length: times }, () => exchange(server, request, options.capMs, cpuBefore)),
      );
      const answer = answers.reduce((worst, other) => (worst.failure === undefined ? other : worst));
      // It may run for minutes; that it was ended answers the question for its health, too.
      if (answer.failure !== undefined) server.child.kill('SIGKILL');
      const healthMs = await postTo(prober, { start: false });
      const elapsedMs = performance.now() - startMs;
      if (answer.failure === undefined) await untilQuiet(server, options.capMs);
      const isAlive = answer.failure === undefined && isRunning(server);
      const peakBytes = isAlive ? readStatus(server, 'VmHWM') : answer.peakBytes;
      const cost: Cost = {
        status: answer.status,
        answerBytes: answer.bytes,
        cpuMs: (isAlive ? cpuMs(server) : answer.cpuMs) - cpuBefore,
        grownBytes: Math.max(0, peakBytes - beforeBytes),
        peakBytes,
        healthMs,
        elapsedMs,
        failure: answer.failure,
      };
      if (answer.failure !== undefined) await end(server);
      return cost;
    },
    renew: async () => {
      if (running) await end(running);
      running = undefined;
    },
    close: async () => {
      if (running) await end(running);
      await prober.terminate();
    },
  };
}

async function start({ repository, environment, flags = [], folder }: ServerOptions): Promise<Running> {
  let output = '';
  const child = spawn(
    process.execPath,
    [
      ...NODE_FLAGS,
      ...flags,
      '--expose-gc',
      `--import=data:text/javascript,process.on('SIGUSR2',()=>{gc();gc()})`,
      join(PROJECT, 'dist/cli/index.mjs'),
      'serve',
      `--repository=${repository}`,
      '--port=0',
      '--json',
    ],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: folder,
        TMPDIR: folder,
        NODE_ENV: 'production',
        LOG_LEVEL: 'error',
        PRELOAD_MODELS: '*',
        // As with 2 GB, independently of this machine's memory.
        MAX_BODIES_BYTES: String(128 * 1024 ** 2),
        // For the routes that name none.
        DEFAULT_MODEL: 'iris',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  // Without this, a server could outlive this process.
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
    });
  for (;;) {
    const port = /"url":"http:\/\/localhost:(\d+)"/.exec(output)?.[1];
    if (port !== undefined && child.pid !== undefined) {
      const server = { child, pid: child.pid, port: Number(port), restBytes: 0, output: () => output };
      for (const path of ['/health', '/openapi.json', '/health'])
        await exchange(server, { method: 'GET', path, headers: {}, body: Buffer.alloc(0) }, 60_000, 0);
      await collect(server);
      return { ...server, restBytes: residentBytes(server) };
    }
    if (child.exitCode !== null) throw new Error(`the server exited with ${child.exitCode}: ${output}`);
    await wait(POLL_MS);
  }
}

function isRunning({ child }: Pick<Running, 'child'>): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function end({ child }: Running): Promise<void> {
  if (!isRunning({ child })) return;
  const exited = once(child, 'exit');
  // By SIGINT it ends at once when it is idle, and writes its profile.
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), 1_000);
  await exited;
  clearTimeout(timer);
}

/** Garbage of the last request must not count for the next one. */
async function collect(server: Running): Promise<void> {
  await untilQuiet(server, 60_000);
  server.child.kill('SIGUSR2');
  await wait(POLL_MS);
  await untilQuiet(server, 60_000);
}

async function untilQuiet(server: Running, capMs: number): Promise<void> {
  const endMs = performance.now() + capMs;
  for (let last = -Infinity; performance.now() < endMs; ) {
    if (!isRunning(server)) return;
    const now = cpuMs(server);
    if (now - last < TICK_MS) return;
    last = now;
    await wait(2 * POLL_MS);
  }
}

interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly failure: string | undefined;
  /** The last figures of a server that has ended. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Sends a request on a connection of its own and throws the answer away as it comes. */
function exchange(
  server: Running,
  { method, path, headers, body }: TestRequest,
  capMs: number,
  cpuBefore: number,
): Promise<Answer> {
  return new Promise((resolve) => {
    let status = 0;
    let bytes = 0;
    let seen = { cpuMs: cpuBefore, peakBytes: 0 };
    let quietSinceMs = performance.now();
    const finish = (failure?: string) => {
      clearInterval(watch);
      outgoing.destroy();
      resolve({ status, bytes, failure, ...seen });
    };
    const outgoing = sendRequest(
      {
        host: '127.0.0.1',
        port: server.port,
        method,
        path,
        headers: body.length > 0 ? { ...headers, 'content-length': String(body.length) } : headers,
        agent: false,
      },
      (incoming) => {
        status = incoming.statusCode ?? 0;
        incoming.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        incoming.on('end', () => finish());
        incoming.on('error', (error) => finish(error.message));
      },
    );
    outgoing.on('error', (error) => finish(error.message));
    outgoing.end(body);
    const watch = setInterval(() => {
      if (!isRunning(server)) return finish(`the server ended: ${server.output().slice(-500)}`);
      const used = cpuMs(server);
      // Asking for its health takes a tick now and then.
      if (used - seen.cpuMs > TICK_MS) quietSinceMs = performance.now();
      seen = { cpuMs: used, peakBytes: readStatus(server, 'VmHWM') };
      if (used - cpuBefore > capMs) finish(`more than ${capMs} ms of CPU`);
      else if (performance.now() - quietSinceMs > HANG_MS) finish(`no answer within ${HANG_MS} ms`);
    }, POLL_MS);
  });
}

/** Source: proc(5), /proc/pid/stat: user and system time of all threads, in ticks. */
function cpuMs({ pid }: Running): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}

function residentBytes(server: Running): number {
  return readStatus(server, 'VmRSS');
}

function readStatus({ pid }: Running, name: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function postTo(worker: Worker, message: object): Promise<number> {
  const answered = once(worker, 'message');
  worker.postMessage(message);
  const [value]: unknown[] = await answered;
  return Number(value);
}
