import type { Logger } from '../monitoring/logger.ts';
import { type FailedVersion, noteHeldBack } from '../releases/held-back.ts';
import type { RegistryParts } from './registry.ts';

/**
 * Notes in the history of a model that this instance could not load a version of its release. It never rejects: requests do
 * not depend on it, and the repository may be one that is only read.
 */
export async function noteHeldBackIn(
  open: () => Promise<RegistryParts>,
  failed: Omit<FailedVersion, 'instance'>,
  logger: Logger,
): Promise<void> {
  try {
    const { store, instance } = await open();
    await noteHeldBack(store, { ...failed, instance });
  } catch (error) {
    logger.log('warn', 'a release that is held back cannot be noted in the history of its model', {
      model: `${failed.folder}/${failed.version}`,
      error,
    });
  }
}
