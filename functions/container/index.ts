import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../shared/config.ts';
import { systemCodeOf } from '../../shared/errors.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { checkRepository } from '../check-repository.ts';
import { collectWhenIdle } from '../collect-when-idle.ts';
import { endWith } from '../end-with.ts';
import { createHostOrExit } from '../host.ts';
import { createHttpFunction } from '../http-function.ts';
import { openBlob } from '../open-blob.ts';
import { openGcs } from '../open-gcs.ts';
import { openS3 } from '../open-s3.ts';
import { loadOwnCodeOrExit } from '../own-code.ts';
import { SCRAPED } from '../scraped-metrics.ts';
import { ListenError, type RunningServer, startServer } from '../server.ts';
import { GRACE_SECONDS, graceOf, nextEnd } from '../server-end.ts';
import { type Contract, readContract } from './contract.ts';
import { openMountedModels } from './mounted-models.ts';

let server: RunningServer | undefined;
// Before anything is loaded: the first process of a container ignores signals that it does not listen to.
const ending = nextEnd();
void ending.then(() => {
  if (server === undefined) process.exit();
});

const { port, repository, isMounted, modelName } = readContractOrExit();
const host = createHostOrExit({
  own: await loadOwnCodeOrExit(import.meta.dirname),
  // A platform that mounts a model sends no requests before the container is healthy.
  environment: { ...(isMounted && { PRELOAD_MODELS: '*' }), ...process.env, MODEL_REPOSITORY: repository },
  modelRepository: repository,
  pagesFolder: join(import.meta.dirname, 'pages'),
  stores: {
    file: (folder) => openMountedModels(openFilesystemStore(folder), modelName),
    s3: (url) => openMountedModels(openS3(url), modelName),
    gs: (url) => openMountedModels(openGcs(url), modelName),
    az: (url) => openMountedModels(openBlob(url), modelName),
  },
  metrics: SCRAPED,
  isFrozen: false,
});
await checkRepository(host);
await host.app.preload();

const handle = collectWhenIdle(createHttpFunction(host));
server = await listen('::')
  .catch((error: unknown) => {
    // A machine without IPv6.
    const code = error instanceof ListenError ? systemCodeOf(error.cause) : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return listen('0.0.0.0');
  })
  .catch((error: unknown) => {
    if (!(error instanceof ListenError)) throw error;
    return endWith(error.message);
  });
host.logger.log('info', 'the server listens', { port, repository });
await server.close(graceOf(await ending, GRACE_SECONDS * 1000));
await host.app.close();

function listen(hostname: string): Promise<RunningServer> {
  return startServer(host, { port, hostname, handle });
}

function readContractOrExit(): Contract {
  try {
    return readContract(process.env, process.argv.slice(2), existsSync);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return endWith(error.message);
  }
}
