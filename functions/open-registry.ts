import type { Config } from '../shared/config.ts';
import type { ModelRepository } from '../shared/models/model-repository.ts';
import type { Logger } from '../shared/monitoring/logger.ts';
import type { RegistryParts } from '../shared/registry/registry.ts';
import { createReleaseLog } from '../shared/releases/release-log.ts';
import { type ModelStore, StoreError, type WritableStore } from '../shared/stores/model-store.ts';
import { openStore, type StoreOpener } from '../shared/stores/open-store.ts';

/** What a host has for the registry of models. */
export interface RegistryHost {
  readonly config: Config;
  /** The stores of the host, by URL scheme. */
  readonly stores: Readonly<Record<string, StoreOpener>>;
  readonly repository: ModelRepository;
  readonly logger: Logger;
  /** The name of this instance in its log. */
  readonly instance: string;
}

/**
 * Opens what the registry works with: the repository itself, because a mirror is not written.
 *
 * @throws StoreError `denied` for a repository that is only read, such as the folder of a single model
 */
export function openRegistry({ config, stores, repository, logger, instance }: RegistryHost): RegistryParts {
  const open = (url: string) => writable(openStore(url, stores));
  const store = open(config.modelRepository);
  return {
    store,
    log: createReleaseLog(store, { onProblem: (what, error) => logger.log('warn', what, { error }) }),
    sources: config.registrySources,
    open,
    onChange: () => repository.renew(),
    logger,
    instance,
  };
}

function writable(store: ModelStore): WritableStore {
  if (isWritable(store)) return store;
  throw new StoreError('denied', `${store.url} cannot be written.`);
}

function isWritable(store: ModelStore): store is WritableStore {
  return 'write' in store;
}
