import { InferenceError } from '../errors.ts';
import { EMPTY_VERSION } from '../releases/changes.ts';
import type { Changed } from '../releases/release-log.ts';
import type { Card, VersionCard } from '../releases/state.ts';
import { checkDescription, checkModelName, checkTagKey, checkTagValue } from './names.ts';
import { isRegistered, liveOf, type RegisteredModel, servedAs } from './registered.ts';
import type { Caller, Registry } from './registry.ts';
import { memberAt } from './search/search.ts';

export type Tags = Readonly<Record<string, string>>;

export interface NewModel {
  readonly name: string;
  readonly description: string | undefined;
  readonly tags: Tags;
}

/** @throws InferenceError RESOURCE_ALREADY_EXISTS, INVALID_PARAMETER_VALUE; StoreError */
export async function createModel(
  registry: Registry,
  caller: Caller,
  { name, description, tags }: NewModel,
): Promise<RegisteredModel> {
  checkModelName(name);
  checkDescription(description ?? '');
  if (await registry.models.find(name)) throw alreadyThere(name);
  const folder = await registry.models.freeFolder(name);
  const created = await registry.changeFolder(folder, caller, 'create', (model) => {
    // Somebody else was faster.
    if (isRegistered(model)) throw alreadyThere(name);
    const now = Date.now();
    const { versions } = model.current.card;
    const card: Card = { tags: { ...tags }, versions, createdMs: now, updatedMs: now };
    return {
      card: { ...card, ...(name !== folder && { name }), ...(description && { description }) },
      serving: servedAs(model.current.serving, folder, name),
    };
  });
  if (!(await isShared(registry, name))) return created;
  await registry.change(created, caller, 'delete', asDeleted);
  throw alreadyThere(name);
}

/** Whether another model got the same name at the same moment. */
async function isShared({ models }: Registry, name: string): Promise<boolean> {
  return (await models.list()).filter((each) => each.name === name).length > 1;
}

/** Gives a model another name. Its folder stays, so that no file moves. */
export async function renameModel(
  registry: Registry,
  caller: Caller,
  name: string,
  newName: string,
): Promise<RegisteredModel> {
  checkModelName(newName, 'new_name');
  const model = await registry.models.get(name);
  if (await registry.models.find(newName)) throw alreadyThere(newName);
  const renamed = await registry.change(model, caller, `rename ${newName}`, (found) => {
    const { card, serving } = found.current;
    const now = Date.now();
    const versions = Object.entries(card.versions).map(([version, facts]) => [
      version,
      { ...facts, updatedMs: now },
    ]);
    return {
      card: { ...card, name: newName, versions: Object.fromEntries(versions), updatedMs: now },
      serving: servedAs(serving, model.folder, newName),
    };
  });
  if (!(await isShared(registry, newName))) return renamed;
  await registry.change(renamed, caller, `rename ${name}`, ({ folder, current: { card, serving } }) => ({
    card: { ...card, name },
    serving: servedAs(serving, folder, name),
  }));
  throw alreadyThere(newName);
}

export async function describeModelAs(
  registry: Registry,
  caller: Caller,
  name: string,
  description: string | undefined,
): Promise<RegisteredModel> {
  const text = checkDescription(description ?? '') || undefined;
  const model = await registry.models.get(name);
  return await registry.change(model, caller, 'describe', ({ current: { card } }) => ({
    card: { ...card, description: text, createdMs: card.createdMs ?? Date.now(), updatedMs: Date.now() },
  }));
}

/**
 * Takes a model out of the registry. Its files stay, so that it can come back; `ternion delete` removes them.
 *
 * @throws InferenceError BAD_REQUEST for a model that answers requests
 */
export async function deleteModel(registry: Registry, caller: Caller, name: string): Promise<void> {
  const found = await registry.models.get(name);
  await registry.change(found, caller, 'delete', (model) => {
    const live = liveOf(model);
    if (live !== undefined) throw inUse(name, live);
    return asDeleted(model);
  });
}

function asDeleted({ name, taken, current: { card, serving } }: RegisteredModel): Changed {
  const deletedMs = Date.now();
  const versions: Record<string, VersionCard> = Object.fromEntries(
    taken.map((version) => [version, { ...EMPTY_VERSION, ...memberAt(card.versions, version), deletedMs }]),
  );
  return {
    card: { tags: {}, versions, name, deleted: true, updatedMs: deletedMs },
    serving: { ...serving, archived: [...taken] },
  };
}

function inUse(name: string, live: string): InferenceError {
  return new InferenceError(
    'BAD_REQUEST',
    `Registered model ${JSON.stringify(name)} cannot be deleted: its version ${live} is live. To take it out of service, remove its aliases and move its versions to the stage Archived, that one last.`,
  );
}

export async function setModelTag(
  registry: Registry,
  caller: Caller,
  name: string,
  key: string,
  value: string,
): Promise<void> {
  checkTagKey(key);
  checkTagValue(value);
  const model = await registry.models.get(name);
  if (memberAt(model.current.card.tags, key) === value) return;
  await registry.change(model, caller, `tag ${key}`, ({ current: { card } }) => ({
    card: { ...card, tags: { ...card.tags, [key]: value } },
  }));
}

export async function deleteModelTag(
  registry: Registry,
  caller: Caller,
  name: string,
  key: string,
): Promise<void> {
  checkTagKey(key);
  const model = await registry.models.get(name);
  if (memberAt(model.current.card.tags, key) === undefined) return;
  await registry.change(model, caller, `untag ${key}`, ({ current: { card } }) => ({
    card: { ...card, tags: without(card.tags, key) },
  }));
}

/** The same members without one. */
export function without<T>(members: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(members).filter(([each]) => each !== key));
}

function alreadyThere(name: string): InferenceError {
  return new InferenceError(
    'RESOURCE_ALREADY_EXISTS',
    `There is a registered model ${JSON.stringify(name.slice(0, 100))} already.`,
  );
}
