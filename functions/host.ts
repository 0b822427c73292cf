import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type App, createApp } from '../shared/app.ts';
import { type Config, ConfigError, type LogLevel, MOST_THREADS, parseConfig } from '../shared/config.ts';
import type { RequestContext } from '../shared/http/context.ts';
import { readTraceContext } from '../shared/http/trace-context.ts';
import { createTasks, type ListedTask } from '../shared/inference/tasks.ts';
import { memoize } from '../shared/memo.ts';
import { createArtifactCache } from '../shared/models/artifact-cache.ts';
import { createModelRepository } from '../shared/models/model-repository.ts';
import { createLogger, type LogFields, type Logger } from '../shared/monitoring/logger.ts';
import type { RequestRecord } from '../shared/monitoring/request-record.ts';
import { nodeCrypto } from '../shared/node-modules.ts';
import type { AppOwnCode } from '../shared/own-requests.ts';
import { openPagesFolder } from '../shared/pages/folder.ts';
import { type OpenSession, openModelFile } from '../shared/runtime/open-model-file.ts';
import { processMemory } from '../shared/runtime/process-memory.ts';
import { allowTelemetry } from '../shared/runtime/session.ts';
import { createTrials } from '../shared/runtime/trial.ts';
import { withMirror } from '../shared/stores/mirrored.ts';
import type { ModelStore } from '../shared/stores/model-store.ts';
import { openStore, type StoreOpener } from '../shared/stores/open-store.ts';
import { createLineWriter, type WriteLine } from './line-writer.ts';
import { type HostMetrics, instanceOf, openMonitoring } from './open-monitoring.ts';
import { printable } from './printable.ts';
import { createWaitingWork, type WaitingWork } from './waiting-work.ts';

export interface HostOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the models are if MODEL_REPOSITORY is not set. */
  readonly modelRepository: string;
  /** Where the build put the pages for browsers. */
  readonly pagesFolder: string;
  /** The stores of this host, by URL scheme. */
  readonly stores: Readonly<Record<string, StoreOpener>>;
  /** vCPUs that the host really gives; by default the visible ones. */
  readonly cpus?: number;
  /** Memory that the host gives; by default the limit of the container. */
  readonly memoryBytes?: number;
  /** Creates the sessions of models; by default in this process. */
  readonly openSession?: OpenSession;
  /** The tasks that its models can have; by default those of Ternion. */
  readonly tasks?: readonly ListedTask[];
  /** The own code of the project. */
  readonly own?: AppOwnCode | undefined;
  /** How long the store may be silent while something waits for it, in ms; by default as long as a request waits. */
  readonly storeSilenceMs?: number | undefined;
  /** Largest body of an answer that the host can send. */
  readonly answerBytes?: number;
  /** Whether the process may be frozen or ended after an answer, as functions are; each line is then written at once. */
  readonly isFrozen?: boolean;
  /** How the log service of the cloud wants its lines. */
  readonly log?: ((environment: HostOptions['environment']) => HostLog) | undefined;
  /** Where its metrics are; by default nowhere. */
  readonly metrics?: HostMetrics | undefined;
  /** How lines are written for people; by default they are JSON. */
  readonly people?: PeopleLog | undefined;
}

/** A log that people read in a terminal. */
export interface PeopleLog {
  /** Makes a line that a terminal shows and does not act on. */
  readonly describe: (record: LogFields) => string;
  /** Whether only warnings and errors are written; LOG_LEVEL, if it is set, then means JSON. */
  readonly isQuiet: boolean;
}

/** What the log service of a cloud needs. */
export interface HostLog {
  /** Writes a line; by default to standard output. */
  readonly write?: WriteLine;
  /** Makes members of a line from its others. */
  readonly describe?: (level: LogLevel, fields: LogFields) => LogFields;
  /** Makes members of the line of a request from which the service makes metrics; they are also written without it. */
  readonly metrics?: ((record: RequestRecord) => LogFields | undefined) | undefined;
}

export interface Host {
  readonly app: App;
  readonly config: Config;
  readonly store: ModelStore;
  readonly logger: Logger;
  /** Does the work that waits for the end of an answer. It never rejects; failures are logged. */
  runWaitingWork(context: HostContext): Promise<void>;
}

/**
 * The app as a host runs it: with defaults that fit the machine, which the environment can override.
 *
 * @throws ConfigError
 */
export function createHost(options: HostOptions): Host {
  const { environment, cpus = availableParallelism(), memoryBytes = availableMemory() } = options;
  const { openSession = openModelFile } = options;
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
  const people = options.people?.isQuiet && environment.LOG_LEVEL?.trim() ? undefined : options.people;
  const log = options.log?.(environment) ?? {};
  const { write = options.isFrozen === false ? createLineWriter() : writeLine } = log;
  const logger = createLogger(
    people?.isQuiet ? 'warn' : config.logLevel,
    people ? write : (line, level) => write(printable(line), level),
    people?.describe,
    log.describe,
  );
  const warn = (what: string, error?: unknown) =>
    logger.log('warn', what, error === undefined ? {} : { error });
  const store = openRepository(config, options.stores, warn);
  const pages = openPagesFolder(options.pagesFolder);
  const trials = createTrials({
    script: TRIAL_SCRIPT,
    environment,
    memoryBytes,
    limitMs: config.trialSeconds * 1000,
  });
  const tasks = createTasks(options.tasks);
  const repository = createModelRepository({
    store,
    configs: tasks,
    silenceMs: options.storeSilenceMs,
    listingTtlMs: config.releaseTtlSeconds * 1000,
    artifacts: createArtifactCache({ store, folder: config.modelCacheFolder }),
    onProblem: warn,
  });
  const instance = instanceOf(environment);
  const monitoring = openMonitoring({ ...options, instance }, config, logger, {
    metrics: log.metrics,
    writeMetrics: (line) => write(printable(line), 'info'),
  });
  return {
    app: createApp({
      config,
      repository,
      tasks,
      own: options.own,
      openSession,
      memory: processMemory,
      logger,
      monitoring,
      trials,
      pages,
      registry: async () =>
        (await import('./open-registry.ts')).openRegistry({
          config,
          stores: options.stores,
          repository,
          logger,
          instance,
        }),
    }),
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

const writeLine: WriteLine = (line) => console.log(line);

/** A body of numbers becomes tensors and answers, which take several times as much memory. */
const BODIES_SHARE = 16;

/** Next to the bundle, or next to this file in the source. */
const TRIAL_SCRIPT = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, 'trial/index.ts')
  : join(import.meta.dirname, 'trial.mjs');

/** The repository of the configuration, with its mirror if it has one. */
function openRepository(
  { modelRepository, modelRepositoryMirror }: Config,
  stores: HostOptions['stores'],
  warn: (problem: string, error?: unknown) => void,
): ModelStore {
  const repository = openStore(modelRepository, stores);
  if (modelRepositoryMirror === undefined) return repository;
  const mirror = openStore(modelRepositoryMirror, stores, 'MODEL_REPOSITORY_MIRROR');
  return withMirror(repository, mirror, warn);
}

/**
 * The limits of one request that depend on the memory of the host: a request within them takes less than half of it.
 * With 2 GB or more they are the defaults of the configuration.
 */
function limitsFor(memoryBytes: number, answerBytes = MOST_ANSWER_BYTES): Record<string, string> {
  const least = (most: number, bytesEach: number) =>
    String(Math.min(most, Math.floor(memoryBytes / bytesEach)));
  return {
    // A pixel takes 6.5 bytes while it is decoded, or counts as several; the steps of a model take up to the same
    // again.
    MAX_IMAGE_PIXELS: least(50_000_000, 32),
    // An object with one key takes 200 to 300 bytes, and counts as two values.
    MAX_VALUES: least(1024 ** 2, 1024),
    // A number takes 8 bytes in a list, up to 8 in each copy of a tensor, and as much again in the text of an answer.
    MAX_JSON_NUMBERS: least(4 * 1024 ** 2, 256),
    MAX_LINES: least(1024 ** 2, 1024),
    // The text, its bytes, and the values it was made from.
    MAX_ANSWER_BYTES: least(answerBytes, 16),
  };
}

/** The same limit as for requests, and the most that Cloud Run sends. */
const MOST_ANSWER_BYTES = 32 * 1024 ** 2;

/** The same for hosts that may end the process: a mistake in the configuration is reported in one sentence. */
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
 * The folder of this user's downloads. Users share the temporary folder, so each has a subfolder; Windows has no user
 * numbers, and does not share the folder.
 *
 * @param folder the value of MODEL_CACHE_FOLDER; by default the temporary folder
 */
export function cacheFolderIn(folder: string = tmpdir()): string {
  const uid = process.getuid?.();
  return resolve(folder, uid === undefined ? 'ternion' : `ternion-${uid}`);
}

let isFirstRequest = true;

/** What a host keeps for a request: its context, and the work to do after the answer. */
export interface HostContext extends RequestContext {
  readonly waitingWork: WaitingWork;
}

/** The context of a request; its id is the client's `x-request-id` if that is harmless text. */
export function createContext(
  headers: Headers,
  hostId: string | undefined,
  known: Pick<RequestContext, 'receivedMs' | 'signal' | 'deadlineMs' | 'body' | 'onError'> = {},
): HostContext {
  const coldStart = isFirstRequest;
  isFirstRequest = false;
  const given = headers.get('x-request-id') ?? '';
  const requestId = /^[\w.:/+=-]{1,128}$/.test(given) ? given : (hostId ?? nodeCrypto().randomUUID());
  const waitingWork = createWaitingWork();
  const receivedMs = performance.now();
  const trace = readTraceContext(headers, requestId);
  return { receivedMs, ...known, trace, requestId, coldStart, waitingWork, waitUntil: waitingWork.waitUntil };
}

/**
 * The URL of a request. Hosts pass paths, but clients may send a whole URL instead (RFC 9112, section 3.2.2); the app
 * never looks at the origin.
 *
 * Segments that a URL would resolve stay names: `..`, `%2e%2e` and backslashes do not lead to another route, and spaces
 * and control characters that some gateways decode are kept. Clients resolve `..` themselves before they send a path.
 */
export const requestUrl = memoize((target) => {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return `http://localhost${path.startsWith('/') ? '' : '/'}${isPlain(path) ? path : escapePath(path)}`;
});

/** Control characters and spaces, which URLs drop in some places, and backslashes, which they turn into slashes. */
const UNLIKE_URL = /[^\x21-\x5b\x5d-\x7e\u0080-\uffff]/;

function isPlain(path: string): boolean {
  return !(UNLIKE_URL.test(path) || /(?:\/|^)(?:\.|%2e)/i.test(path));
}

function escapePath(target: string): string {
  const [path = '', query = ''] = [/^[^?#]*/.exec(target)?.[0], /[?#].*$/s.exec(target)?.[0]];
  const names = path.split('/').map((name) => {
    const escaped = name.replace(new RegExp(UNLIKE_URL, 'g'), encodeURIComponent);
    // Escaped twice, because a URL treats %2e as a dot.
    return /^(?:\.|%2e){1,2}$/i.test(name) ? name.replaceAll('%', '%25').replaceAll('.', '%252e') : escaped;
  });
  return names.join('/') + query;
}

function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** An empty variable counts as unset, so that it does not hide a default. */
function dropEmpty(environment: HostOptions['environment']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
}
