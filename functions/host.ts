import { randomUUID } from 'node:crypto';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type App, createApp } from '../shared/app.ts';
import { type Config, ConfigError, MOST_THREADS, parseConfig } from '../shared/config.ts';
import type { RequestContext } from '../shared/http/context.ts';
import type { Task } from '../shared/inference/task.ts';
import { createTasks } from '../shared/inference/tasks.ts';
import { createArtifactCache } from '../shared/models/artifact-cache.ts';
import { createModelRepository } from '../shared/models/model-repository.ts';
import { createLogger, type Logger } from '../shared/monitoring/logger.ts';
import { openPagesFolder } from '../shared/pages/folder.ts';
import { openModelFile } from '../shared/runtime/open-model-file.ts';
import { allowTelemetry } from '../shared/runtime/session.ts';
import { createTrials } from '../shared/runtime/trial.ts';
import type { ModelStore } from '../shared/stores/model-store.ts';
import { openStore, type StoreOpener } from '../shared/stores/open-store.ts';
import { describeRecord } from './describe-record.ts';
import { printable } from './printable.ts';
import { createWaitingWork, type WaitingWork } from './waiting-work.ts';

export interface HostOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the models are when MODEL_REPOSITORY does not say. */
  readonly modelRepository: string;
  /** Where the build put the pages for browsers. */
  readonly pagesFolder: string;
  /** The stores this host brings, by URL scheme. */
  readonly stores: Readonly<Record<string, StoreOpener>>;
  /** vCPUs the host really gives; the visible ones by default. */
  readonly cpus?: number;
  /** Memory the host gives; the container's limit by default. */
  readonly memoryBytes?: number;
  /** The tasks that its models can have; those of Ternion by default. */
  readonly tasks?: readonly Task[];
  /** How long the store may say nothing to what waits for it, in ms; as long as a request waits by default. */
  readonly storeSilenceMs?: number | undefined;
  /** Largest body of an answer that the host passes on. */
  readonly answerBytes?: number;
  /** Whether its output is read in a terminal: it logs warnings and errors alone, each in a sentence. LOG_LEVEL undoes it. */
  readonly isForPeople?: boolean;
}

export interface Host {
  readonly app: App;
  readonly config: Config;
  readonly store: ModelStore;
  readonly logger: Logger;
  /** Does the work that waits for an answer. It never rejects: what fails is logged. */
  runWaitingWork(context: HostContext): Promise<void>;
}

/**
 * The app as one host runs it: defaults that fit the machine, then whatever the environment says.
 *
 * @throws ConfigError
 */
export function createHost(options: HostOptions): Host {
  const { environment, cpus = availableParallelism(), memoryBytes = availableMemory() } = options;
  const parsed = parseConfig({
    MODEL_REPOSITORY: options.modelRepository,
    MODEL_CACHE_FOLDER: tmpdir(),
    INTRA_OP_THREADS: String(Math.min(MOST_THREADS, Math.max(1, Math.floor(cpus)))),
    MAX_BODIES_BYTES: String(Math.floor(memoryBytes / BODIES_SHARE)),
    SESSION_CACHE_BYTES: String(Math.floor(memoryBytes / 2)),
    ...limitsFor(memoryBytes, options.answerBytes),
    ...dropEmpty(environment),
  });
  const config = { ...parsed, modelCacheFolder: cacheFolderIn(parsed.modelCacheFolder) };
  if (config.runtimeTelemetry) allowTelemetry();
  const isForPeople = options.isForPeople === true && !environment.LOG_LEVEL?.trim();
  const logger = createLogger(
    isForPeople ? 'warn' : config.logLevel,
    (line) => console.log(printable(line)),
    isForPeople ? describeRecord : undefined,
  );
  const store = openStore(config.modelRepository, options.stores);
  const pages = openPagesFolder(options.pagesFolder);
  const trials = createTrials({
    script: TRIAL_SCRIPT,
    environment: environmentOfTrial(environment),
    memoryBytes,
  });
  const tasks = createTasks(options.tasks);
  const repository = createModelRepository({
    store,
    configs: tasks,
    silenceMs: options.storeSilenceMs,
    artifacts: createArtifactCache({ store, folder: config.modelCacheFolder }),
    onProblem: (what, error) => logger.log('warn', what, error === undefined ? {} : { error }),
  });
  return {
    app: createApp({ config, repository, tasks, openSession: openModelFile, logger, trials, pages }),
    config,
    store,
    logger,
    runWaitingWork: async ({ requestId, waitingWork }) => {
      await waitingWork.run((error) =>
        logger.log('error', 'work after an answer failed', { request_id: requestId, error }),
      );
    },
  };
}

/** A body of numbers becomes tensors and answers, which take some times as much. */
const BODIES_SHARE = 16;

/** Beside the bundle, and beside this file in the source. */
const TRIAL_SCRIPT = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, 'trial/index.ts')
  : join(import.meta.dirname, 'trial.mjs');

/** What Node and the libraries need to start, and to find the locales of this machine. Keys and tokens stay here. */
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

function environmentOfTrial(environment: HostOptions['environment']): Record<string, string> {
  const kept = VARIABLES_OF_TRIAL.map((name) => [name, environment[name]]);
  return Object.fromEntries([
    ['ORT_DISABLE_TELEMETRY', '1'],
    ...kept.filter(([, value]) => value !== undefined),
  ]);
}

/**
 * The limits of one request that depend on the memory of the host: what they allow takes less than half of it. With 2 GB
 * and more they are those of the configuration itself.
 */
function limitsFor(memoryBytes: number, answerBytes = MOST_ANSWER_BYTES): Record<string, string> {
  const least = (most: number, bytesEach: number) =>
    String(Math.min(most, Math.floor(memoryBytes / bytesEach)));
  return {
    // A pixel takes 6.5 bytes while it is decoded, or counts for several; the steps of a model take up to as many again.
    MAX_IMAGE_PIXELS: least(50_000_000, 32),
    // An object with a key of its own takes 200 to 300 bytes, and is two values.
    MAX_VALUES: least(1024 ** 2, 1024),
    // A list takes 8 bytes for each, a tensor up to 8 in each of its copies, and the text of an answer as much again.
    MAX_JSON_NUMBERS: least(4 * 1024 ** 2, 256),
    MAX_LINES: least(1024 ** 2, 1024),
    // The text, its bytes, and what it was made of.
    MAX_ANSWER_BYTES: least(answerBytes, 16),
  };
}

/** As much as a request may have, and as Cloud Run passes on. */
const MOST_ANSWER_BYTES = 32 * 1024 ** 2;

/** The same for hosts that may end the process: a mistake in the configuration is told in one sentence. */
export function createHostOrExit(options: HostOptions): Host {
  try {
    return createHost(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(printable(error.message));
    process.exit(1);
  }
}

/**
 * Where this user's downloads are. Temporary folders are shared, so each user has downloads of their own; Windows has no
 * user numbers, nor does it share them.
 *
 * @param folder what MODEL_CACHE_FOLDER says; the temporary folder without it
 */
export function cacheFolderIn(folder: string = tmpdir()): string {
  const uid = process.getuid?.();
  return resolve(folder, uid === undefined ? 'ternion' : `ternion-${uid}`);
}

let isFirstRequest = true;

/** What a host has of a request: its context, and the work that waits for the answer. */
export interface HostContext extends RequestContext {
  readonly waitingWork: WaitingWork;
}

/** The context of a request; its id is the client's own `x-request-id` where that is harmless text. */
export function createContext(
  headers: Headers,
  hostId: string | undefined,
  known: Pick<RequestContext, 'signal' | 'deadlineMs' | 'body'> = {},
): HostContext {
  const coldStart = isFirstRequest;
  isFirstRequest = false;
  const given = headers.get('x-request-id') ?? '';
  const requestId = /^[\w.:/+=-]{1,128}$/.test(given) ? given : (hostId ?? randomUUID());
  const waitingWork = createWaitingWork();
  return { ...known, requestId, coldStart, waitingWork, waitUntil: waitingWork.waitUntil };
}

/**
 * Hosts hand over paths, and clients may write a whole URL instead (RFC 9112, section 3.2.2); the app never looks at the
 * origin.
 *
 * What a URL would make another path of stays a name: `..`, `%2e%2e` and backslashes lead to no other route, and the
 * spaces and control characters that some gateways decode are not left out. Clients take `..` away themselves before they send a path.
 */
export function requestUrl(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return `http://localhost${path.startsWith('/') ? '' : '/'}${isPlain(path) ? path : escapePath(path)}`;
}

/** Control characters and spaces, which a URL leaves out in some places, and backslashes, which it takes for slashes. */
const UNLIKE_URL = /[^\x21-\x5b\x5d-\x7e\u0080-\uffff]/;

function isPlain(path: string): boolean {
  return !(UNLIKE_URL.test(path) || /(?:\/|^)(?:\.|%2e)/i.test(path));
}

function escapePath(target: string): string {
  const [path = '', query = ''] = [/^[^?#]*/.exec(target)?.[0], /[?#].*$/s.exec(target)?.[0]];
  const names = path.split('/').map((name) => {
    const escaped = name.replace(new RegExp(UNLIKE_URL, 'g'), encodeURIComponent);
    // Twice, as a URL takes %2e for a dot.
    return /^(?:\.|%2e){1,2}$/i.test(name) ? name.replaceAll('%', '%25').replaceAll('.', '%252e') : escaped;
  });
  return names.join('/') + query;
}

function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** An empty variable counts as unset: it must not hide a default. */
function dropEmpty(environment: HostOptions['environment']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
}
