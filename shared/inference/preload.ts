import type { ModelReference } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { Logger } from '../monitoring/logger.ts';

/** Loads the live version of some models, or of all for `*`. Failures are logged and met again by requests. */
export async function preload(
  names: readonly string[],
  { repository, logger }: { readonly repository: ModelRepository; readonly logger: Logger },
  load: (reference: ModelReference) => Promise<void>,
): Promise<void> {
  const models = await repository.list().catch((error: unknown) => {
    logger.log('warn', 'preload failed', { error });
    return [];
  });
  const wanted = names.includes('*') ? models.map(({ name }) => name) : names;
  // One after the other: loading is native work on this thread, there is nothing to overlap.
  for (const name of wanted) {
    await repository
      .resolve(name)
      .then(load)
      .catch((error: unknown) => logger.log('warn', 'preload failed', { model: name, error }));
  }
}
