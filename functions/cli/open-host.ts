import { join } from 'node:path';
import type { AppOwnCode } from '../../shared/own-requests.ts';
import type { ModelStore } from '../../shared/stores/model-store.ts';
import { createHost, type Host, type PeopleLog } from '../host.ts';
import { SCRAPED } from '../scraped-metrics.ts';
import { STORES } from './open-repository.ts';
import { ownCode } from './project/own-code.ts';

export interface OpenHostOptions {
  /** Folder or URL; by default MODEL_REPOSITORY, else `models`. */
  readonly repository: string | undefined;
  /** Variables that override those of the process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether requests wait for the store. A command waits for it as long as it takes. */
  readonly isServer?: boolean;
  /** How its log is written for people; by default as JSON. */
  readonly people?: PeopleLog | undefined;
  /** Used instead of the store that the repository's URL names. */
  readonly store?: ModelStore;
  /** By default that of the project in whose folder the command runs. */
  readonly own?: AppOwnCode | undefined;
}

/** The app with all stores, as the command uses it. */
export function openHost({
  repository,
  environment = {},
  isServer = false,
  people,
  store,
  own = ownCode(),
}: OpenHostOptions): Host {
  return createHost({
    environment: {
      ...process.env,
      ...(repository !== undefined && { MODEL_REPOSITORY: repository }),
      ...environment,
    },
    modelRepository: 'models',
    own,
    metrics: SCRAPED,
    people,
    isFrozen: !isServer,
    storeSilenceMs: isServer ? undefined : Number.POSITIVE_INFINITY,
    pagesFolder: join(import.meta.dirname, 'pages'),
    stores: store ? { ...STORES, file: () => store } : STORES,
  });
}
