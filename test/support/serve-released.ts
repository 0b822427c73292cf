import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createContext, type HostContext, requestUrl } from '../../functions/host.ts';
import { type App, createApp } from '../../shared/app.ts';
import { parseConfig } from '../../shared/config.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { createArtifactCache } from '../../shared/models/artifact-cache.ts';
import { createModelRepository } from '../../shared/models/model-repository.ts';
import { servingSchema } from '../../shared/models/serving.ts';
import { createLogger, type LogFields } from '../../shared/monitoring/logger.ts';
import { createCollector } from '../../shared/monitoring/metrics/collector.ts';
import { createMonitoring, type Monitoring } from '../../shared/monitoring/monitoring.ts';
import { createRequestLog } from '../../shared/monitoring/request-log.ts';
import { createReleaseLog } from '../../shared/releases/release-log.ts';
import { openModelFile } from '../../shared/runtime/open-model-file.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { KNOWN_TASKS } from './known-tasks.ts';
import { NO_PAGES } from './no-pages.ts';
import { PROJECT } from './project.ts';
import { makeFolder } from './temporary-folder.ts';
import { makeTrials } from './trials.ts';

/** A state of releases as an operator would write it. */
export type GivenServing = Parameters<typeof servingSchema.parse>[0];

export interface ReleasedApp {
  readonly app: App;
  readonly monitoring: Monitoring;
  /** The folder of the models. */
  readonly folder: string;
  /** The lines of the log, parsed. */
  readonly log: readonly LogFields[];
  /** Writes a release of each model, which the next request follows. */
  release(states: Readonly<Record<string, GivenServing>>): Promise<void>;
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
  const store = openFilesystemStore(folder);
  const releases = createReleaseLog(store);
  const signed = { by: 'ada', why: 'a test', action: 'release' };
  const release: ReleasedApp['release'] = async (given) => {
    for (const [name, state] of Object.entries(given)) {
      await releases.change(name, signed, () => ({ serving: servingSchema.parse(state) }));
    }
  };
  await release(states);
  const log: LogFields[] = [];
  const logger = createLogger('debug', (line) => log.push(JSON.parse(line)));
  const monitoring = createMonitoring({
    log: createRequestLog({ logger, sample: 1, slowMs: 1000, instance: 'test' }),
    metrics: ['ternion'],
    openCollector: createCollector,
  });
  const repository = createModelRepository({
    store,
    // Each request looks what has been released.
    listingTtlMs: 0,
    configs: KNOWN_TASKS,
    artifacts: createArtifactCache({ store, folder: join(folder, '.unused') }),
  });
  const app = createApp({
    config: parseConfig({ MODEL_REPOSITORY: folder, ...environment }),
    repository,
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
