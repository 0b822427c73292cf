import { loadOnce } from '../memo.ts';
import type { Serving } from '../models/serving.ts';
import type { Logger } from '../monitoring/logger.ts';
import { type FailedVersion, noteHeldBack } from '../releases/held-back.ts';
import type { RegistryParts } from './registry.ts';

/**
 * Notes in the history of a model that this instance could not load a version of its release. A version that fails is tried
 * again each minute, but noted once for each state: to find the note reads all changes that have the same state.
 *
 * @returns a function that never rejects: requests do not depend on it, and the repository may be one that is only read
 */
export function createHeldBackNotes(
  open: () => Promise<Pick<RegistryParts, 'store' | 'instance'>>,
  logger: Logger,
): (failed: Omit<FailedVersion, 'instance'>) => Promise<void> {
  const openOnce = loadOnce(open);
  /** The versions that were noted of a state. A state is of one model, and a later change has another object. */
  const noted = new WeakMap<Serving, Set<string>>();
  return async (failed) => {
    const { folder, version, serving } = failed;
    const known = noted.get(serving) ?? new Set();
    if (known.has(version)) return;
    try {
      const { store, instance } = await openOnce();
      await noteHeldBack(store, { ...failed, instance });
      noted.set(serving, known.add(version));
    } catch (error) {
      logger.log('warn', 'a release that is held back cannot be noted in the history of its model', {
        model: `${folder}/${version}`,
        error,
      });
    }
  };
}
