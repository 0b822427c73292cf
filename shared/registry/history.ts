import { invalid } from '../errors.ts';
import type { Serving } from '../models/serving.ts';
import { rollBack as rollBackTo } from '../releases/changes.ts';
import { type HeldBack, readHeldBack } from '../releases/held-back.ts';
import type { Card, Release } from '../releases/state.ts';
import { knownOf, type RegisteredModel } from './registered.ts';
import type { Caller, Registry } from './registry.ts';

/** A change, with what instances noted about it. */
export interface NotedChange {
  readonly release: Release;
  readonly heldBack: readonly HeldBack[];
}

/** All changes of a model, the newest first. */
export async function historyOf(registry: Registry, name: string): Promise<readonly NotedChange[]> {
  const { folder } = await registry.models.getAny(name);
  const [releases, heldBack] = await Promise.all([
    registry.log.history(folder),
    readHeldBack(registry.store, folder),
  ]);
  return releases
    .map((release) => ({
      release,
      heldBack: heldBack.filter(({ revision }) => revision === release.revision),
    }))
    .reverse();
}

const EMPTY_SERVING: Serving = { aliases: {}, archived: [] };
const EMPTY_CARD: Card = { tags: {}, versions: {} };

/**
 * Makes a model as it was after an earlier change. This is a new change: nothing is removed from the history.
 *
 * @param revision by default the one before the newest
 * @throws InferenceError INVALID_PARAMETER_VALUE; BAD_REQUEST when a version that was served then is not there any more
 */
export async function rollBack(
  registry: Registry,
  caller: Caller,
  name: string,
  revision: number | undefined,
): Promise<RegisteredModel> {
  const model = await registry.models.getAny(name);
  const wanted = revision ?? model.current.revision - 1;
  if (wanted < 0 || wanted >= model.current.revision)
    throw invalid(
      'Parameter "revision"',
      `is ${wanted}; the newest revision of ${JSON.stringify(name)} is ${model.current.revision}, and an earlier one is expected.`,
    );
  const then = (await registry.log.history(model.folder)).find((each) => each.revision === wanted);
  const { serving, card } = then ?? { serving: EMPTY_SERVING, card: EMPTY_CARD };
  return await registry.changeFolder(model.folder, caller, `rollback ${wanted}`, (now) => {
    const { card: after } = now.current;
    const back = rollBackTo(now.current, knownOf(now), { serving, revision: wanted });
    // What was registered since then stays, as its number must not be given again, and so does the name.
    const versions = { ...after.versions, ...card.versions };
    return { ...back, card: { ...card, name: after.name, versions, updatedMs: Date.now() } };
  });
}
