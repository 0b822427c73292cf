import { createArtifactCache } from '../../shared/models/artifact-cache.ts';
import { createModelRepository, type ModelRepository } from '../../shared/models/model-repository.ts';
import type { ModelStore } from '../../shared/stores/model-store.ts';
import { KNOWN_TASKS } from './known-tasks.ts';

/** The repository in a store whose files are on this machine: its cache is not used. */
export function openRepository(store: ModelStore): ModelRepository {
  return createModelRepository({
    store,
    configs: KNOWN_TASKS,
    artifacts: createArtifactCache({ store, folder: '/nowhere' }),
  });
}
