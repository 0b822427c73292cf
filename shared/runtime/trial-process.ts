import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemCodeOf } from '../errors.ts';
import type { ModelFile } from './open-model-file.ts';
import { type Session, type SessionOptions, UnsupportedGraphError } from './session.ts';
import { TrialError, type TrialReply, type TrialRequest } from './trial-protocol.ts';

/** What a host provides to try models in separate processes. */
export interface TrialOptions {
  /** The script of such a process. */
  readonly script: string;
  /** The environment of the host. The process gets the few variables that it needs, and no keys. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Memory that the host gives to all processes together. */
  readonly memoryBytes: number;
  /** How long a model may take to open, and to run once. */
  readonly limitMs: number;
}

/** Variables that Node and the libraries need to start and to find the locales. Keys and tokens are not passed. */
const VARIABLES_OF_TRIAL = [
  'PATH',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SystemRoot',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LANG',
  'LC_ALL',
  'LOCPATH',
];

function environmentOfTrial(environment: TrialOptions['environment']): Record<string, string> {
  const kept = VARIABLES_OF_TRIAL.map((name) => [name, environment[name]]);
  return Object.fromEntries([
    ['ORT_DISABLE_TELEMETRY', '1'],
    ...kept.filter(([, value]) => value !== undefined),
  ]);
}

/** Bytes per millisecond that even slow disks can read. */
const BYTES_PER_MS = 50_000;
/** Share of the memory that a trial may take of what is left: the host itself needs the rest meanwhile. */
const SHARE = 0.9;

/** Starts the process of a trial. */
export async function startTrial(
  { script, environment, memoryBytes, limitMs }: TrialOptions,
  file: ModelFile,
) {
  const child = fork(script, [], {
    // Its working directory is the folder of the model, in case the runtime ever looks for a relative path.
    cwd: dirname(file.path),
    env: environmentOfTrial(environment),
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Callers that wait for an answer get this error too.
  child.on('error', () => undefined);
  const left = Math.floor(
    SHARE * Math.max(0, Math.min(memoryBytes - process.memoryUsage.rss(), process.availableMemory())),
  );
  const ask = (request: TrialRequest, timeMs: number) => exchange(child, request, timeMs, left);
  return {
    open: async (options: SessionOptions): Promise<Session> => {
      const timeMs = limitMs + statSync(file.path).size / BYTES_PER_MS;
      const opened = await ask({ kind: 'open', file, options, memoryBytes: left }, timeMs);
      if (opened.kind !== 'opened') throw new TrialError('sent an unexpected answer');
      return {
        inputs: opened.inputs,
        outputs: opened.outputs,
        run: async (feeds, fetches) => {
          await ask({ kind: 'run', feeds, fetches }, limitMs);
          return new Map();
        },
        release: async () => undefined,
      };
    },
    end: () => child.kill('SIGKILL'),
  };
}

/** Sends one request and waits for its answer; if the process ends instead, it throws a TrialError. */
async function exchange(
  child: ChildProcess,
  request: TrialRequest,
  timeMs: number,
  memoryBytes: number,
): Promise<TrialReply> {
  const { exitCode, signalCode } = child;
  if (exitCode !== null || signalCode !== null) {
    throw new TrialError(describeEnd(exitCode, signalCode, memoryBytes));
  }
  const listening = new AbortController();
  const { signal } = listening;
  const ends = [
    once(child, 'message', { signal }).then(([reply]): unknown => reply),
    once(child, 'exit', { signal }).then(([code, by]) => {
      throw new TrialError(describeEnd(code, by, memoryBytes));
    }),
    wait(timeMs, undefined, { signal }).then(() => {
      const seconds = Math.round(timeMs / 100) / 10;
      throw new TrialError(`did not end within ${seconds} s, which is the limit (MAX_TRIAL_SECONDS)`);
    }),
  ];
  try {
    child.send(request, () => undefined);
    const reply = await Promise.race(ends);
    if (!isReply(reply)) throw new TrialError('sent an invalid answer');
    if (reply.kind !== 'failed') return reply;
    throw reply.name === UnsupportedGraphError.name
      ? new UnsupportedGraphError(reply.message)
      : new Error(reply.message);
  } catch (error) {
    // `once` rejects with the error of a process that could not be started.
    if (systemCodeOf(error) === undefined) throw error;
    throw new TrialError(`could not be started (${systemCodeOf(error)})`, { cause: error });
  } finally {
    listening.abort();
    await Promise.allSettled(ends);
  }
}

/** SIGKILL comes from the process's own memory watch, or from a system that is short of memory. */
function describeEnd(code: number | null, signal: string | null, memoryBytes: number): string {
  if (signal === 'SIGKILL') {
    const megabytes = Math.round(memoryBytes / 1e6);
    if (megabytes === 0) return 'needed memory, but this host has none left';
    return `needed more than the ${megabytes} MB of memory that this host has left`;
  }
  return signal === null ? `ended with the code ${code}` : `was ended by ${signal}`;
}

function isReply(message: unknown): message is TrialReply {
  return typeof message === 'object' && message !== null && 'kind' in message;
}
