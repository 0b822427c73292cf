import { join } from 'node:path';
import type { ModelStore } from '../../shared/stores/model-store.ts';
import { createHost, type Host } from '../host.ts';
import { STORES } from './open-repository.ts';

export interface OpenHostOptions {
  /** Folder or URL; MODEL_REPOSITORY or `models` without it. */
  readonly repository: string | undefined;
  /** Variables that win over those of the process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Taken instead of what the repository's URL says. */
  readonly store?: ModelStore;
}

/** The app with all stores, as the command uses it. */
export function openHost({ repository, environment = {}, store }: OpenHostOptions): Host {
  return createHost({
    environment: {
      ...process.env,
      ...(repository !== undefined && { MODEL_REPOSITORY: repository }),
      ...environment,
    },
    modelRepository: 'models',
    pagesFolder: join(import.meta.dirname, 'pages'),
    stores: store ? { ...STORES, file: () => store } : STORES,
  });
}
