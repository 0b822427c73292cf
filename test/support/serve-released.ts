import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createContext, type HostContext, requestUrl } from '../../functions/host.ts';
import { type App, createApp } from '../../shared/app.ts';
import { parseConfig } from '../../shared/config.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { createArtifactCache } from '../../shared/models/artifact-cache.ts';
import type { ModelListing } from '../../shared/models/model-reference.ts';
import { createModelRepository, type ModelRepository } from '../../shared/models/model-repository.ts';
import { createLogger, type LogFields } from '../../shared/monitoring/logger.ts';
import { createCollector } from '../../shared/monitoring/metrics/collector.ts';
import { createMonitoring, type Monitoring } from '../../shared/monitoring/monitoring.ts';
import { createRequestLog } from '../../shared/monitoring/request-log.ts';
import { type Serving, servingSchema } from '../../shared/releases/state.ts';
import { openModelFile } from '../../shared/runtime/open-model-file.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { KNOWN_TASKS } from './known-tasks.ts';
import { NO_PAGES } from './no-pages.ts';
import { PROJECT } from './project.ts';
import { makeFolder } from './temporary-folder.ts';
import { makeTrials } from './trials.ts';

/** A state of releases as an operator would write it. */
export type GivenServing = Parameters<typeof servingSchema.parse>[0];

/** A repository whose models have states of releases, which `serving` returns by their names. */
export function withServing(
  repository: ModelRepository,
  serving: () => ReadonlyMap<string, Serving>,
): ModelRepository {
  const apply = (listing: ModelListing): ModelListing => {
    const own = serving().get(listing.name);
    if (!own) return listing;
    const versions = listing.versions.filter((version) => !own.archived.includes(version));
    return { ...listing, versions, liveVersion: own.live ?? versions.at(-1) ?? '', serving: own };
  };
  const known = (name: string) => {
    const listing = repository.known(name);
    return listing && apply(listing);
  };
  const knownVersion: ModelRepository['knownVersion'] = (name, version) => {
    const listing = known(name);
    if (!listing) return undefined;
    const asked = version ?? listing.liveVersion;
    const found = listing.versions.includes(asked) ? asked : listing.serving?.aliases[asked];
    return found === undefined ? undefined : { name, version: found };
  };
  return {
    ...repository,
    known,
    knownVersion,
    knownModels: () => repository.knownModels()?.map(apply),
    list: async (budget) => (await repository.list(budget)).map(apply),
    versions: async (name, budget) => {
      const listing = await repository.versions(name, budget);
      return listing && apply(listing);
    },
    resolve: async (name, version, budget) => {
      await repository.list(budget);
      return knownVersion(name, version) ?? (await repository.resolve(name, version, budget));
    },
    resolveAlias: async (name, alias, budget) =>
      knownVersion(name, alias) ?? (await repository.resolveAlias(name, alias, budget)),
  };
}

export interface ReleasedApp {
  readonly app: App;
  readonly monitoring: Monitoring;
  /** The folder of the models. */
  readonly folder: string;
  /** The lines of the log, parsed. */
  readonly log: readonly LogFields[];
  /** Changes the states of models. */
  release(states: Readonly<Record<string, GivenServing>>): void;
  /** Sends a request, and does the work that it leaves. */
  send(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answered>;
  /** Sends a request, and leaves its work to the test. */
  begin(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answered & { readonly context: HostContext }>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly json: ReturnType<typeof JSON.parse>;
}

/** A server of the example model iris, in three versions: 1, 2 and 3, where 3 has the files of 1. */
export async function serveReleased(
  states: Readonly<Record<string, GivenServing>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<ReleasedApp> {
  const folder = await makeFolder({});
  await mkdir(join(folder, 'iris'));
  for (const [from, to] of [
    ['1', '1'],
    ['2', '2'],
    ['1', '3'],
  ] as const) {
    await cp(join(PROJECT, 'models/iris', from), join(folder, 'iris', to), { recursive: true });
  }
  let serving: ReadonlyMap<string, Serving> = new Map();
  const release: ReleasedApp['release'] = (given) => {
    serving = new Map(Object.entries(given).map(([name, state]) => [name, servingSchema.parse(state)]));
  };
  release(states);
  const log: LogFields[] = [];
  const logger = createLogger('debug', (line) => log.push(JSON.parse(line)));
  const monitoring = createMonitoring({
    log: createRequestLog({ logger, sample: 1, slowMs: 1000, instance: 'test' }),
    metrics: ['ternion'],
    openCollector: createCollector,
  });
  const store = openFilesystemStore(folder);
  const repository = createModelRepository({
    store,
    configs: KNOWN_TASKS,
    artifacts: createArtifactCache({ store, folder: join(folder, '.unused') }),
  });
  const app = createApp({
    config: parseConfig({ MODEL_REPOSITORY: folder, ...environment }),
    repository: withServing(repository, () => serving),
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    logger,
    monitoring,
    trials: makeTrials(),
    pages: NO_PAGES,
  });
  onTestFinished(() => app.close());

  const begin: ReleasedApp['begin'] = async (path, body, headers = {}) => {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const all = new Headers({ 'content-type': 'application/json', ...headers });
    const request = new BytesRequest(requestUrl(path), { method: 'POST', headers: all }, bytes);
    const context = createContext(all, 'host-id');
    const response = await app.fetch(request, context);
    return { status: response.status, headers: response.headers, json: await response.json(), context };
  };
  const send: ReleasedApp['send'] = async (path, body, headers) => {
    const answered = await begin(path, body, headers);
    await answered.context.waitingWork.run((error) => {
      throw error;
    });
    return answered;
  };
  return { app, monitoring, folder, log, release, begin, send };
}

/** A request to the flower model. */
export const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };
