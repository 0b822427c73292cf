import { randomUUID } from 'node:crypto';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../shared/app.ts';
import { type Config, ConfigError, parseConfig } from '../shared/config.ts';
import type { RequestContext } from '../shared/http/context.ts';
import { createLogger } from '../shared/monitoring/logger.ts';
import { openPagesFolder } from '../shared/pages/folder.ts';
import { createTrials } from '../shared/runtime/trial.ts';
import type { ModelStore } from '../shared/stores/model-store.ts';
import { openStore, type StoreOpener } from '../shared/stores/open-store.ts';

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
}

export interface Host {
  readonly app: App;
  readonly config: Config;
  readonly store: ModelStore;
}

/**
 * The app as one host runs it: defaults that fit the machine, then whatever the environment says.
 *
 * @throws ConfigError
 */
export function createHost(options: HostOptions): Host {
  const { environment, cpus = availableParallelism(), memoryBytes = availableMemory() } = options;
  const config = parseConfig({
    MODEL_REPOSITORY: options.modelRepository,
    MODEL_CACHE_FOLDER: join(tmpdir(), 'ternion'),
    INTRA_OP_THREADS: String(Math.max(1, Math.floor(cpus))),
    SESSION_CACHE_BYTES: String(Math.floor(memoryBytes / 2)),
    ...dropEmpty(environment),
  });
  const logger = createLogger(config.logLevel, (line) => console.log(line));
  const store = openStore(config.modelRepository, options.stores);
  const pages = openPagesFolder(options.pagesFolder);
  const trials = createTrials({
    script: TRIAL_SCRIPT,
    environment: environmentOfTrial(environment),
    memoryBytes,
  });
  return { app: createApp({ config, store, logger, trials, pages }), config, store };
}

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

/** The same for hosts that may end the process: a mistake in the configuration is told in one sentence. */
export function createHostOrExit(options: HostOptions): Host {
  try {
    return createHost(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

let isFirstRequest = true;

/** The context of a request; its id is the client's own `x-request-id` where that is harmless text. */
export function createContext(headers: Headers, hostId: string | undefined): RequestContext {
  const coldStart = isFirstRequest;
  isFirstRequest = false;
  const given = headers.get('x-request-id') ?? '';
  const requestId = /^[\w.:/+=-]{1,128}$/.test(given) ? given : (hostId ?? randomUUID());
  return { requestId, coldStart };
}

/**
 * Hosts hand over paths, and clients may write a whole URL instead (RFC 9112, section 3.2.2); the app never looks at the
 * origin.
 */
export function requestUrl(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return `http://localhost${path.startsWith('/') ? '' : '/'}${path}`;
}

function availableMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** An empty variable counts as unset: it must not hide a default. */
function dropEmpty(environment: HostOptions['environment']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
}
