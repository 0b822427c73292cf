import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  type Answer,
  deliver,
  type Extension,
  type Failure,
  failed,
  type LambdaApi,
  notify,
  type PendingInvocation,
  type Sandbox,
  serveLambdaApi,
} from './lambda-api.ts';
import { MOST_EVENT_BYTES, MOST_INIT_MS, RUNTIME_SHUTDOWN_MS, SHUTDOWN_MS } from './lambda-limits.ts';

type Command = readonly [command: string, ...args: string[]];

export interface LambdaOptions {
  /** The unpacked code. */
  readonly folder: string;
  /** The client that asks for events and calls the handler with them. */
  readonly runtime: Command;
  readonly handler?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly memoryMegabytes?: number;
  /** Longest time for one event. */
  readonly timeoutMs?: number;
  readonly initTimeoutMs?: number;
  /** Extensions that are processes of their own, by name. */
  readonly extensions?: Readonly<Record<string, Command>>;
}

export interface InitReport {
  readonly durationMs: number;
  /** Lambda tries again with the first event then. */
  readonly failure: Failure | undefined;
}

export interface Invocation extends Answer {
  readonly requestId: string;
  readonly durationMs: number;
}

/** How the processes ended that were asked to. */
export interface ShutdownReport {
  /** `exited` by itself, or `killed` at the end of its time. */
  readonly runtime: 'exited' | 'killed';
  readonly extensions: Readonly<Record<string, 'exited' | 'killed'>>;
}

export interface LambdaEnvironment {
  readonly init: InitReport;
  /** The process of the runtime. */
  readonly process: ChildProcess;
  /** The id of the process of an extension. */
  extensionPid(name: string): number | undefined;
  /** What all processes have written so far. */
  output(): string;
  /**
   * Sends one event: a value, or the bytes of its JSON. Resolves with the answer, while extensions may still work.
   *
   * @throws InvokeError when Lambda does not take the event
   */
  invoke(event: unknown, clientContext?: string): Promise<Invocation>;
  /** Resolves when nothing runs: all have asked for their next event and are stopped. */
  frozen(): Promise<void>;
  shutdown(): Promise<ShutdownReport>;
}

/** An event that Lambda has not taken. */
export class InvokeError extends Error {
  override readonly name = 'InvokeError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const FUNCTION_NAME = 'ternion';
const FUNCTION_ARN = `arn:aws:lambda:eu-west-1:123456789012:function:${FUNCTION_NAME}`;

/**
 * Runs a function as Lambda does: with its limits of time and size, with extensions, and stopped whenever it waits for
 * an event, so that nothing runs between two of them. After a failure the next event starts a new process.
 */
export async function openLambdaEnvironment(options: LambdaOptions): Promise<LambdaEnvironment> {
  const { timeoutMs = 30_000, initTimeoutMs = MOST_INIT_MS } = options;
  let generation = await startGeneration(options);
  const startMs = performance.now();
  const failure = await generation.initialize(initTimeoutMs);
  const init = { durationMs: performance.now() - startMs, failure };
  if (failure) await generation.kill();
  else generation.freeze();
  let output = '';
  let settled: Promise<void> = Promise.resolve();
  let isBusy = false;

  const reopen = async () => {
    await generation.kill();
    output += generation.output();
    generation = await startGeneration(options);
  };

  return {
    init,
    get process() {
      return generation.runtime();
    },
    extensionPid: (name) => generation.extensionPid(name),
    output: () => output + generation.output(),
    frozen: () => settled,
    invoke: async (event, clientContext) => {
      const payload = Buffer.isBuffer(event) ? event : Buffer.from(JSON.stringify(event) ?? 'null');
      if (payload.length > MOST_EVENT_BYTES) {
        const text = `Request must be smaller than ${MOST_EVENT_BYTES} bytes for the InvokeFunction operation`;
        throw new InvokeError(413, 'RequestEntityTooLargeException', text);
      }
      if (isBusy) throw new InvokeError(429, 'TooManyRequestsException', 'Rate Exceeded.');
      isBusy = true;
      await settled;
      const startMs = performance.now();
      const requestId = randomUUID();
      if (generation.isDead()) {
        await reopen();
        // The start and the event share the time of the event.
        const again = await generation.initialize(timeoutMs);
        if (again) {
          await generation.kill();
          isBusy = false;
          const answer = failed(again.errorType, again.errorMessage);
          return { ...NO_BODY, ...answer, requestId, durationMs: performance.now() - startMs };
        }
      }
      const deadlineMs = Date.now() + timeoutMs - (performance.now() - startMs);
      const running = generation.run({ requestId, payload, deadlineMs, clientContext }, timeoutMs);
      settled = running.settled.then(async () => {
        if (!generation.isDead()) generation.freeze();
      });
      const answer = await running.answered;
      isBusy = false;
      return { ...answer, requestId, durationMs: performance.now() - startMs };
    },
    shutdown: async () => {
      await settled;
      return await generation.shutdown();
    },
  };
}

const NO_BODY = { contentType: undefined, isStreamed: false, chunks: [] };

/** The processes of an environment from their start to their end. */
async function startGeneration(options: LambdaOptions) {
  const { handler = 'index.handler', extensions = {} } = options;
  const watchers = new Set<() => void>();
  const sandbox: Sandbox = {
    functionName: FUNCTION_NAME,
    functionArn: FUNCTION_ARN,
    handler,
    externalNames: Object.keys(extensions),
    extensions: new Map(),
    waiting: undefined,
    isInitialized: false,
    current: undefined,
    failure: undefined,
    changed: () => {
      for (const watcher of [...watchers]) watcher();
    },
  };
  const api = await serveLambdaApi(sandbox);
  const processes = new Map<string, ChildProcess>();
  let output = '';
  let isOver = false;

  /** Resolves with whether the condition came true within the time. */
  const until = (condition: () => boolean, mostMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const end = (isTrue: boolean) => {
        clearTimeout(timer);
        watchers.delete(watcher);
        resolve(isTrue);
      };
      const watcher = () => {
        if (condition()) end(true);
      };
      const timer = setTimeout(() => end(false), mostMs);
      watchers.add(watcher);
      watcher();
    });

  const start = (name: string, [command, ...args]: Command) => {
    const child = spawn(command, args, {
      cwd: options.folder,
      env: environmentOf(options, handler, api),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it starts stops and ends with it.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const fail = (message: string) => {
      if (isOver) return;
      const errorType = name === RUNTIME ? 'Runtime.ExitError' : 'Extension.Crash';
      sandbox.failure ??= { errorType, errorMessage: message };
      sandbox.changed();
    };
    child.once('error', (error) => fail(String(error)));
    child.once('exit', (code, signal) =>
      fail(`${name} exited with ${signal === null ? `error: exit status ${code}` : `signal: ${signal}`}`),
    );
    processes.set(name, child);
    ALL.add(child);
    child.once('exit', () => ALL.delete(child));
  };

  const signal = (name: NodeJS.Signals) => {
    for (const child of processes.values()) signalGroup(child, name);
  };

  const waitsFor = (kind: string) => (extension: Extension) =>
    !extension.events.has(kind) || extension.waiting !== undefined;
  const registered = () => [...sandbox.extensions.values()];

  const kill = async () => {
    isOver = true;
    signal('SIGKILL');
    await Promise.all([...processes.values()].map(ended));
    await api.close();
  };

  const runtime = () => {
    const child = processes.get(RUNTIME);
    if (!child) throw new Error('The runtime was not started, because an extension failed.');
    return child;
  };

  return {
    runtime,
    extensionPid: (name: string) => processes.get(name)?.pid,
    output: () => output,
    isDead: () => isOver,
    freeze: () => signal('SIGSTOP'),
    kill,

    initialize: async (mostMs: number): Promise<Failure | undefined> => {
      const endMs = performance.now() + mostMs;
      const tooLong = {
        errorType: 'Sandbox.Timedout',
        errorMessage: `Init timed out after ${(mostMs / 1000).toFixed(2)} seconds`,
      };
      for (const [name, command] of Object.entries(extensions)) start(name, command);
      const areRegistered = () =>
        sandbox.failure !== undefined ||
        sandbox.externalNames.every((name) => registered().some((each) => each.name === name));
      if (!(await until(areRegistered, mostMs))) return tooLong;
      if (sandbox.failure) return sandbox.failure;
      start(RUNTIME, options.runtime);
      const isReady = () =>
        sandbox.failure !== undefined ||
        (sandbox.waiting !== undefined && registered().every(({ waiting }) => waiting !== undefined));
      if (!(await until(isReady, endMs - performance.now()))) return tooLong;
      return sandbox.failure;
    },

    run: (
      invocation: PendingInvocation,
      timeoutMs: number,
    ): { answered: Promise<Answer>; settled: Promise<void> } => {
      signal('SIGCONT');
      deliver(sandbox, invocation);
      const mostMs = invocation.deadlineMs - Date.now();
      const hasEnded = () => sandbox.failure !== undefined;
      const isSettled = () =>
        sandbox.waiting !== undefined &&
        registered().every(waitsFor('INVOKE')) &&
        sandbox.current?.answer !== undefined;
      const settled = until(() => hasEnded() || isSettled(), mostMs).then(async (inTime) => {
        if (inTime && !hasEnded()) return;
        const seconds = (timeoutMs / 1000).toFixed(2);
        const { errorType, errorMessage } = sandbox.failure ?? {
          errorType: 'Sandbox.Timedout',
          errorMessage: `Task timed out after ${seconds} seconds`,
        };
        const message = `RequestId: ${invocation.requestId} Error: ${errorMessage}`;
        invocation.answer ??= { ...NO_BODY, ...failed(errorType, message) };
        await kill();
        sandbox.changed();
      });
      // There is an answer by the end of the environment at the latest.
      const answered = until(() => invocation.answer !== undefined, mostMs + 60_000).then(() => {
        if (!invocation.answer) throw new Error('the event has no answer');
        return invocation.answer;
      });
      return { answered, settled };
    },

    shutdown: async (): Promise<ShutdownReport> => {
      const all = registered();
      const external = all.filter(({ isInternal }) => !isInternal);
      const kind = external.length > 0 ? 'external' : all.length > 0 ? 'internal' : 'none';
      if (isOver || kind === 'none') {
        if (!isOver) await kill();
        return { runtime: 'killed', extensions: {} };
      }
      isOver = true;
      const endMs = performance.now() + SHUTDOWN_MS[kind];
      signal('SIGCONT');
      runtime().kill('SIGTERM');
      const runtimeMs = kind === 'external' ? RUNTIME_SHUTDOWN_MS : SHUTDOWN_MS.internal;
      const runtimeEnd = await endWithin(runtime(), runtimeMs);
      const deadlineMs = Math.floor(Date.now() + endMs - performance.now());
      for (const extension of external) {
        if (extension.events.has('SHUTDOWN'))
          notify(extension, { eventType: 'SHUTDOWN', shutdownReason: 'spindown', deadlineMs });
      }
      const ends = await Promise.all(
        external.map(async ({ name }) => {
          const child = processes.get(name);
          return [name, child ? await endWithin(child, endMs - performance.now()) : 'exited'] as const;
        }),
      );
      await kill();
      return { runtime: runtimeEnd, extensions: Object.fromEntries(ends) };
    },
  };
}

const RUNTIME = 'Runtime';

/** Stopped processes would outlive the tests. */
const ALL = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of ALL) signalGroup(child, 'SIGKILL');
});

function environmentOf(
  { folder, environment = {}, memoryMegabytes = 1769 }: LambdaOptions,
  handler: string,
  api: LambdaApi,
): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: folder,
    AWS_LAMBDA_RUNTIME_API: api.address,
    AWS_LAMBDA_FUNCTION_NAME: FUNCTION_NAME,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMegabytes),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${FUNCTION_NAME}`,
    AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]00000000000000000000000000000000',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    ...environment,
  };
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    await once(child, 'exit');
}

async function endWithin(child: ChildProcess, mostMs: number): Promise<'exited' | 'killed'> {
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), Math.max(0, mostMs));
  await ended(child);
  clearTimeout(timer);
  return child.signalCode === 'SIGKILL' ? 'killed' : 'exited';
}
