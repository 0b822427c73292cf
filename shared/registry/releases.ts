import { invalid } from '../errors.ts';
import {
  approve,
  ChangeError,
  promote as promoteTo,
  rollBack as rollBackTo,
  sharesOf,
  split,
} from '../releases/changes.ts';
import { type HeldBack, readHeldBack } from '../releases/held-back.ts';
import type { Release } from '../releases/state.ts';
import { knownOf, type RegisteredModel } from './registered.ts';
import type { Caller, Registry } from './registry.ts';
import { type Page, pageOf } from './search/search.ts';

/** A change, with what instances noted about it. */
export interface NotedChange {
  readonly release: Release;
  readonly heldBack: readonly HeldBack[];
}

/**
 * A page of the changes of a model, the newest first. Only those are read: each has the whole state.
 *
 * @throws InferenceError INVALID_PARAMETER_VALUE for a token of no page
 */
export async function historyOf(
  registry: Registry,
  name: string,
  count: number,
  token: string | undefined,
): Promise<Page<NotedChange>> {
  const { folder } = await registry.models.getAny(name);
  const revisions = [...(await registry.log.revisions(folder))].reverse();
  const { items, nextPageToken } = pageOf(revisions, count, token);
  const [releases, heldBack] = await Promise.all([
    registry.log.history(folder, items),
    readHeldBack(registry.store, folder),
  ]);
  const changes = releases.map((release) => ({
    release,
    heldBack: heldBack.filter(({ revision }) => revision === release.revision),
  }));
  return { items: changes, nextPageToken };
}

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
  checkExpected(model, caller);
  const wanted = revision ?? model.current.revision - 1;
  if (wanted < 0 || wanted >= model.current.revision)
    throw invalid(
      'Parameter "revision"',
      `is ${wanted}; the newest revision of ${JSON.stringify(name)} is ${model.current.revision}, and an earlier one is expected.`,
    );
  const then = await registry.log.stateAt(model.folder, wanted);
  if (!then)
    throw invalid(
      'Parameter "revision"',
      `is ${wanted}, which cannot be read any more; "ternion history ${model.folder} --verify" says what is wrong.`,
    );
  const { serving, card } = then;
  return await registry.changeFolder(model.folder, caller, `rollback ${wanted}`, (now) => {
    const { card: after } = now.current;
    const back = rollBackTo(now.current, knownOf(now), { serving, revision: wanted });
    // What was registered since then stays, as its number must not be given again, and so does the name.
    const versions = { ...after.versions, ...card.versions };
    return { ...back, card: { ...card, name: after.name, versions, updatedMs: Date.now() } };
  });
}

/**
 * Makes a version live, without the checks of `ternion promote`.
 *
 * @param target a version, or an alias of one
 * @throws InferenceError BAD_REQUEST for a version that cannot be served, or that another person has to promote
 */
export async function promote(
  registry: Registry,
  caller: Caller,
  name: string,
  target: string,
): Promise<RegisteredModel> {
  const model = await registry.models.getAny(name);
  checkExpected(model, caller);
  return await registry.change(model, caller, `promote ${target}`, (now) => {
    const known = knownOf(now);
    const approved = approve(now.current, known, target, caller.by);
    return { card: approved.card, ...promoteTo(approved, known, target) };
  });
}

/**
 * Changes shares of the requests that name no version.
 *
 * @param shares in percent, by version or alias; 0 takes a target out, and what is not named stays as it is
 * @throws InferenceError BAD_REQUEST for targets that cannot be served, and if all shares are more than 100 % together
 */
export async function changeShares(
  registry: Registry,
  caller: Caller,
  name: string,
  shares: ReadonlyMap<string, number>,
): Promise<RegisteredModel> {
  const model = await registry.models.getAny(name);
  checkExpected(model, caller);
  const words = [...shares].map(([target, percent]) => `${target}=${percent}`);
  return await registry.change(model, caller, `split ${words.join(' ')}`, (now) => {
    const known = knownOf(now);
    const divided = sharesOf(now.current.serving.traffic ?? { ranges: [] });
    for (const [target, percent] of shares) {
      if (percent === 0 && !divided.has(target))
        throw new ChangeError(
          `The split of model "${known.model}" has no ${JSON.stringify(target.slice(0, 100))}.`,
        );
    }
    return split(now.current, known, { shares });
  });
}

/** @throws InferenceError INVALID_PARAMETER_VALUE for a revision that is not there yet */
function checkExpected({ name, current }: RegisteredModel, { expected = 0 }: Caller): void {
  if (expected > current.revision)
    throw invalid(
      'Parameter "expected_revision"',
      `is ${expected}; the newest revision of ${JSON.stringify(name)} is ${current.revision}.`,
    );
}
