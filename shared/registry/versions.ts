import { InferenceError, invalid } from '../errors.ts';
import type { Serving } from '../models/serving.ts';
import {
  archive,
  ChangeError,
  promote,
  refuseUsed,
  removeAlias,
  setAlias as setAliasOf,
  unarchive,
} from '../releases/changes.ts';
import { without } from './models.ts';
import { checkAlias, checkDescription, checkTagKey, checkTagValue } from './names.ts';
import {
  knownOf,
  type RegisteredModel,
  type RegisteredVersion,
  versionOf,
  withVersion,
} from './registered.ts';
import type { Caller, Registry } from './registry.ts';
import { memberAt } from './search/search.ts';

/** A version with its model. */
export interface FoundVersion {
  readonly model: RegisteredModel;
  readonly found: RegisteredVersion;
}

/** @throws InferenceError RESOURCE_DOES_NOT_EXIST, StoreError */
export async function getVersion(registry: Registry, name: string, version: string): Promise<FoundVersion> {
  const model = await registry.models.get(name);
  return { model, found: versionOf(model, version) };
}

export async function describeVersionAs(
  registry: Registry,
  caller: Caller,
  name: string,
  version: string,
  description: string | undefined,
): Promise<FoundVersion> {
  const text = checkDescription(description ?? '') || undefined;
  const { model } = await getVersion(registry, name, version);
  const changed = await registry.change(model, caller, `describe ${version}`, (now) => {
    versionOf(now, version);
    return { card: withVersion(now.current.card, version, { description: text, updatedMs: Date.now() }) };
  });
  return { model: changed, found: versionOf(changed, version) };
}

/**
 * Takes a version out of the registry and out of service. Its files stay, so that it can come back.
 *
 * @throws InferenceError BAD_REQUEST for a version that is used
 */
export async function deleteVersion(
  registry: Registry,
  caller: Caller,
  name: string,
  version: string,
): Promise<void> {
  const { model } = await getVersion(registry, name, version);
  await registry.change(model, caller, `delete ${version}`, (now) => {
    versionOf(now, version);
    checkUnused(now, version);
    const { card, serving } = now.current;
    const deletedMs = Date.now();
    return {
      card: { ...withVersion(card, version, { deletedMs }), updatedMs: deletedMs },
      serving: { ...serving, archived: [...new Set([...serving.archived, version])] },
    };
  });
}

/** @throws InferenceError BAD_REQUEST that says what to do instead */
function checkUnused(model: RegisteredModel, version: string): void {
  try {
    refuseUsed(model.current, knownOf(model), version);
  } catch (error) {
    if (!(error instanceof ChangeError)) throw error;
    const advice =
      'Release another version first, with the stage Production or "ternion promote", and move its aliases.';
    throw new InferenceError('BAD_REQUEST', `${error.message} ${advice}`);
  }
}

export async function setVersionTag(
  registry: Registry,
  caller: Caller,
  { name, version, key, value }: VersionTag & { readonly value: string },
): Promise<void> {
  checkTagKey(key);
  checkTagValue(value);
  const { model, found } = await getVersion(registry, name, version);
  if (memberAt(found.card.tags, key) === value) return;
  await registry.change(model, caller, `tag ${version} ${key}`, (now) => {
    const { tags } = versionOf(now, version).card;
    return { card: withVersion(now.current.card, version, { tags: { ...tags, [key]: value } }) };
  });
}

export interface VersionTag {
  readonly name: string;
  readonly version: string;
  readonly key: string;
}

export async function deleteVersionTag(
  registry: Registry,
  caller: Caller,
  { name, version, key }: VersionTag,
): Promise<void> {
  checkTagKey(key);
  const { model, found } = await getVersion(registry, name, version);
  if (memberAt(found.card.tags, key) === undefined) return;
  await registry.change(model, caller, `untag ${version} ${key}`, (now) => {
    const { tags } = versionOf(now, version).card;
    return { card: withVersion(now.current.card, version, { tags: without(tags, key) }) };
  });
}

/**
 * Points an alias to a version. From the first one on, a new version does not answer requests before it is released: the
 * version that does so now continues.
 */
export async function setAlias(
  registry: Registry,
  caller: Caller,
  name: string,
  alias: string,
  version: string,
): Promise<void> {
  checkAlias(alias);
  const { model, found } = await getVersion(registry, name, version);
  if (found.aliases.includes(alias)) return;
  await registry.change(model, caller, `alias ${alias} ${version}`, (now) => {
    checkFiles(now, version);
    return setAliasOf(now.current, knownOf(now), alias, version);
  });
}

/** @throws InferenceError BAD_REQUEST for a version without files */
function checkFiles(model: RegisteredModel, version: string): void {
  const { status, statusMessage } = versionOf(model, version);
  if (status === 'READY') return;
  throw new InferenceError(
    'BAD_REQUEST',
    `Version ${version} of ${JSON.stringify(model.name)} has no files: ${statusMessage ?? 'they are being copied'}`,
  );
}

export async function deleteAlias(
  registry: Registry,
  caller: Caller,
  name: string,
  alias: string,
): Promise<void> {
  checkAlias(alias);
  const model = await registry.models.get(name);
  if (memberAt(model.current.serving.aliases, alias) === undefined) return;
  await registry.change(model, caller, `unalias ${alias}`, (now) =>
    removeAlias(now.current, knownOf(now), alias),
  );
}

/** @throws InferenceError INVALID_PARAMETER_VALUE for an alias that is not there, as in MLflow */
export async function getByAlias(registry: Registry, name: string, alias: string): Promise<FoundVersion> {
  const model = await registry.models.get(name);
  const isLatest = alias.toLowerCase() === 'latest';
  const version = isLatest ? model.versions.at(-1)?.version : memberAt(model.current.serving.aliases, alias);
  if (version !== undefined) return { model, found: versionOf(model, version) };
  const problem = `of registered model ${JSON.stringify(name)} does not exist.`;
  if (isLatest) throw new InferenceError('RESOURCE_DOES_NOT_EXIST', `The latest version ${problem}`);
  throw invalid(`The alias ${JSON.stringify(alias.slice(0, 60))} ${problem}`);
}

/** MLflow's stages. The last two are those that `archive_existing_versions` goes with. */
export const STAGES = ['None', 'Archived', 'Staging', 'Production'] as const;
export type Stage = (typeof STAGES)[number];

/** @throws InferenceError INVALID_PARAMETER_VALUE */
export function readStage(text: string): Stage {
  const stage = STAGES.find((each) => each.toLowerCase() === text.toLowerCase());
  if (stage !== undefined) return stage;
  throw invalid(
    'Parameter "stage"',
    `is ${JSON.stringify(text.slice(0, 40))}; expected None, Staging, Production or Archived.`,
  );
}

export function stageOf({ card }: RegisteredVersion): Stage {
  return STAGES.find((stage) => stage === card.stage) ?? 'None';
}

/**
 * Moves a version to a stage. The stage Production releases it: it answers the requests that name no version. The stage
 * Archived takes it out of service. Others are labels.
 *
 * @param archivesOthers whether the versions that are in the stage now are archived
 * @throws InferenceError BAD_REQUEST for versions that are used and would be archived
 */
export async function moveToStage(
  registry: Registry,
  caller: Caller,
  { name, version }: Omit<VersionTag, 'key'>,
  stage: Stage,
  archivesOthers: boolean,
): Promise<FoundVersion> {
  if (archivesOthers && stage !== 'Staging' && stage !== 'Production')
    throw invalid(
      'Parameter "archive_existing_versions"',
      `is true for the stage ${stage}; it goes with Staging and Production.`,
    );
  const { model } = await getVersion(registry, name, version);
  const moved = await registry.change(model, caller, `stage ${version} ${stage}`, (now) => {
    versionOf(now, version);
    const updatedMs = Date.now();
    let state = enterStage(now, version, stage, updatedMs);
    const others = now.versions.filter((each) => each.version !== version && stageOf(each) === stage);
    for (const other of archivesOthers ? others : [])
      state = enterStage(state, other.version, 'Archived', updatedMs);
    const { card, serving } = state.current;
    return { serving, card: { ...card, updatedMs } };
  });
  return { model: moved, found: versionOf(moved, version) };
}

/** The model with a version in another stage. */
function enterStage(
  model: RegisteredModel,
  version: string,
  stage: Stage,
  updatedMs: number,
): RegisteredModel {
  const { current } = model;
  const card = withVersion(current.card, version, { stage, updatedMs });
  const serving = { ...current.serving, ...servingIn(model, version, stage) };
  return { ...model, current: { ...current, card, serving } };
}

function servingIn(model: RegisteredModel, version: string, stage: Stage): Partial<Serving> {
  const { current, stored } = model;
  const known = knownOf(model);
  const { archived } = current.serving;
  const isArchived = archived.includes(version);
  if (stage === 'Archived') {
    if (isArchived || !stored.includes(version)) return {};
    const isLast = stored.every((each) => each === version || archived.includes(each));
    const isAliased = Object.values(current.serving.aliases).includes(version);
    // To archive the last version says that the model is not needed any more.
    if (isLast && !isAliased) return { archived: [...archived, version], live: undefined, warm: undefined };
    checkUnused(model, version);
    return archive(current, known, version).serving ?? {};
  }
  const back = isArchived ? unarchive(current, known, version).serving : current.serving;
  if (stage !== 'Production') return back ?? {};
  checkFiles(model, version);
  return promote({ ...current, serving: back ?? current.serving }, known, version).serving ?? {};
}

/** The latest versions of a model in each of these stages, the lowest first. */
export function latestVersions(
  model: RegisteredModel,
  stages: readonly Stage[] = STAGES,
): readonly RegisteredVersion[] {
  const latest = new Map(model.versions.map((version) => [stageOf(version), version]));
  return model.versions.filter((version) => {
    const stage = stageOf(version);
    return stages.includes(stage) && latest.get(stage) === version;
  });
}
