import type { ModelRepository } from '../models/model-repository.ts';
import type { Logger } from '../monitoring/logger.ts';

/** How versions of models get into memory. */
interface Loads {
  /** The versions of a model that a request can get; undefined stands for the live one. */
  readonly versionsOf: (model: string) => Promise<readonly (string | undefined)[]>;
  readonly load: (model: string, version: string | undefined) => Promise<void>;
}

/** Loads models before there are requests. It never rejects: failures are logged. */
export async function preload(
  names: readonly string[],
  { repository, logger }: { readonly repository: ModelRepository; readonly logger: Logger },
  { versionsOf, load }: Loads,
): Promise<void> {
  // The caller is not a request.
  const listed = repository.ready().then(() => repository.list());
  const models = await listed.catch((error: unknown) => {
    logger.log('warn', 'preload failed', { error });
    return [];
  });
  const wanted = names.includes('*') ? models.map(({ name }) => name) : names;
  const report = (model: string) => (error: unknown) =>
    logger.log('warn', 'preload failed', { model, error });
  // One after the other: loading is native work on this thread, so nothing would overlap.
  for (const name of wanted) {
    const versions = await versionsOf(name);
    for (const version of versions) await load(name, version).catch(report(name));
  }
}
