import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { App } from '../../shared/app.ts';
import type { Model } from '../../shared/inference/load-model.ts';
import { TRITON_FILE } from '../../shared/models/formats/format-folder.ts';
import type { ModelReference } from '../../shared/models/model-reference.ts';
import type { ModelRepository } from '../../shared/models/model-repository.ts';
import { isVersion } from '../../shared/models/versions.ts';
import type { AppOwnCode } from '../../shared/own-requests.ts';
import { type ModelStore, StoreError } from '../../shared/stores/model-store.ts';
import { CommandError } from './console.ts';
import { checkModelFile } from './foreign/foreign-models.ts';
import {
  checkOnlyGraph,
  findModelFolder,
  isVersionFolder,
  listOf,
  modelFoldersOf,
  refuseArchive,
  refuseFolder,
} from './model-path.ts';
import { openHost } from './open-host.ts';
import { type ModelPlace, openSingleModelStore } from './single-model-store.ts';
import { cacheFolder, makeTemporaryFolder } from './temporary-folder.ts';
import { CODE, isArchive, nameOfArchive, unpackArchive } from './unpack-archive.ts';

export interface FoundModel {
  readonly app: App;
  readonly reference: ModelReference;
  /** Where its files are. */
  readonly store: ModelStore;
  /** The name for messages: the argument of the command. */
  readonly title: string;
  /** Name of the model file, if the argument is one; it is served as `model.onnx`. */
  readonly file?: string | undefined;
  /** Path of the file, folder or archive that it is; undefined for a model of a repository. */
  readonly place?: string | undefined;
  /** Which file is ignored because only a version was named, or which code is not run. */
  readonly warning?: string | undefined;
  /** Files of inference code in an archive, without which its model is published; undefined for other models. */
  readonly code?: readonly string[] | undefined;
}

/**
 * Opens the `<model>` of a command: the model file or folder at that path if there is one, else a model of the
 * repository, as `name`, `name/version` or `name@alias`.
 *
 * @param graph which graph of the folder at that path to use
 * @param own own code; by default that of the project in whose folder the command runs
 * @throws CommandError, InferenceError
 */
export async function findModel(
  argument: string,
  repository: string | undefined,
  graph?: string,
  own?: AppOwnCode,
): Promise<FoundModel> {
  const found = await stat(argument).catch(() => undefined);
  if (found?.isDirectory()) return await openFolder(resolve(argument), argument, graph, own);
  if (found?.isFile() && isArchive(argument))
    return await openArchive(resolve(argument), argument, graph, own);
  if (graph !== undefined) {
    throw new CommandError(
      `--file names a graph in a folder, and ${JSON.stringify(argument)} is not one.`,
      2,
    );
  }
  if (found?.isFile()) {
    await checkModelFile(resolve(argument), argument);
    const path = resolve(argument);
    return await openPath(path, { folder: dirname(path), file: basename(path) }, argument, own);
  }
  if (found) throw new CommandError(`${JSON.stringify(argument)} is neither a file nor a folder.`);
  const [, name, version, alias] = /^([^/@]+)(?:\/([^/@]+)|@([^/@]+))?$/.exec(argument) ?? [];
  if (name === undefined) {
    throw new CommandError(
      `There is no file or folder ${JSON.stringify(argument)}, and it is not the name of a model.`,
    );
  }
  const { app, store } = openHost({ repository, environment: QUIET, own });
  const models = app.inference.repository;
  await checkName(models, name, argument, repository);
  const reference =
    alias === undefined ? await models.resolve(name, version) : await models.resolveAlias(name, alias);
  return { app, reference, store, title: argument };
}

/**
 * Opens a version of a repository, also where this folder has files of the same path.
 *
 * @param folder of the model, which can have another name since
 * @param version or an alias of one
 * @throws InferenceError, StoreError
 */
export async function findPublished(
  repository: string,
  folder: string,
  version: string,
): Promise<FoundModel> {
  const { app, store } = openHost({ repository, environment: QUIET });
  const models = app.inference.repository;
  const { name } = (await models.list()).find((each) => (each.folder ?? each.name) === folder) ?? {
    name: folder,
  };
  return { app, reference: await models.resolve(name, version), store, title: `${folder}/${version}` };
}

/** Loads a model and looks at it. */
export async function look<R>(
  { app, reference }: Pick<FoundModel, 'app' | 'reference'>,
  at: (model: Model) => R,
): Promise<R> {
  const { value } = await app.inference.use({ reference }, {}, ({ model }) => {
    try {
      return { seen: at(model) };
    } catch (error) {
      return { error };
    }
  });
  if ('seen' in value) return value.seen;
  // If it were thrown inside, it would be reported as a failure of the server.
  throw value.error;
}

/**
 * The user may have mistyped a path or forgotten the repository, so the message names both places that were searched.
 */
async function checkName(
  models: ModelRepository,
  name: string,
  argument: string,
  repository = './models',
): Promise<void> {
  const nothing = `There is no file or folder ${JSON.stringify(argument)}, and no`;
  const place = repository === 'models' ? './models' : repository;
  try {
    const listed = await models.list();
    if (listed.some((model) => model.name === name)) return;
    const names = listOf(listed.map((model) => model.name)) || 'none';
    throw new CommandError(
      `${nothing} model ${JSON.stringify(name)} in the repository ${place}; its models are: ${names}.`,
    );
  } catch (error) {
    // For a bucket, the error of the store says more.
    const isFolder = !place.includes('://');
    if (!(error instanceof StoreError) || error.reason !== 'missing' || !isFolder) throw error;
    throw new CommandError(
      `${nothing} repository at ${place} to look for a model of that name; name one with --repository.`,
    );
  }
}

/** The user of a command does not want to read the log of a server. */
export const QUIET = { LOG_LEVEL: 'silent', PRELOAD_MODELS: '', DEFAULT_MODEL: '' };

/**
 * Opens the folder of a model that was downloaded.
 *
 * @param name what a version is named after
 * @throws CommandError, InferenceError
 */
export async function findDownloaded(
  path: string,
  title: string,
  name: string,
  graph: string | undefined,
): Promise<FoundModel> {
  return await openFolder(path, title, graph, undefined, { name: toName(name), version: '1' });
}

/** Opens a folder that is a version of a model, or a model with a folder for each version. */
async function openFolder(
  path: string,
  title: string,
  graph: string | undefined,
  own: AppOwnCode | undefined,
  reference = nameOf(path),
): Promise<FoundModel> {
  if (graph !== undefined || (await isVersionFolder(path))) {
    if (graph === undefined) await checkOnlyGraph(path, title);
    return await openPath(path, { folder: path, file: undefined, graph }, title, own, reference);
  }
  // Folders without a version as name are separate models: none of them is the live version of another.
  if ((await modelFoldersOf(path)).some((name) => isVersion(name))) {
    const { app, store } = openHost({ repository: dirname(path), environment: QUIET, own });
    const models = app.inference.repository;
    const name = basename(path);
    // A policy may exclude all versions; the error then says so.
    if ((await models.versions(name)) ?? (await stat(join(path, TRITON_FILE)).catch(() => undefined))) {
      const reference = await models.resolve(name);
      return { app, reference, store, title, place: join(path, reference.version) };
    }
  }
  throw await refuseFolder(path, title);
}

/** Opens the model in an archive, which may be in a subfolder there. */
async function openArchive(
  path: string,
  title: string,
  graph: string | undefined,
  own: AppOwnCode | undefined,
): Promise<FoundModel> {
  const name = basename(nameOfArchive(path));
  // SageMaker calls every archive model.tar.gz.
  const reference = /^model$/i.test(name) ? nameOf(dirname(path)) : { name: toName(name), version: '1' };
  const folder = join(await makeTemporaryFolder(cacheFolder()), reference.name);
  const code = await unpackArchive(path, folder, title);
  const place = await findModelFolder(folder);
  if (place === undefined) throw await refuseArchive(folder, title, code);
  const isVersionOfIt = await isVersionFolder(place);
  const found = isVersionOfIt
    ? await openPath(place, { folder: place, file: undefined, graph }, title, own, reference)
    : await openFolder(place, title, graph, own);
  return {
    ...found,
    place: path,
    ...(code.length > 0 && { code, warning: describeCode(code) }),
  };
}

/** The code that SageMaker would run, and Ternion does not. */
export function describeCode(code: readonly string[]): string {
  return `Ternion does not run its inference code, so its answers are those of the graph alone: ${listOf(code)}`;
}

async function openPath(
  path: string,
  place: ModelPlace,
  title: string,
  own: AppOwnCode | undefined,
  reference = nameOf(path),
): Promise<FoundModel> {
  const store = await openSingleModelStore(place, reference, title, cacheFolder());
  const { app } = openHost({ repository: place.folder, environment: QUIET, store, own });
  const warning =
    (await findUnseen(place.folder)) ?? (place.file === undefined ? await findCode(store) : undefined);
  return { app, reference, store, title, file: place.file, place: path, warning };
}

/** Code in a folder that an archive was unpacked to. It belongs to the folder, and is published with it. */
async function findCode(store: ModelStore): Promise<string | undefined> {
  const paths = (await store.list('')).map(({ path }) => path.split('/').slice(2).join('/'));
  const code = paths.filter((path) => path.startsWith(CODE) && path.endsWith('.py'));
  return code.length === 0 ? undefined : describeCode(code);
}

/** A file beside the versions of a model, which a server would read if it served the folder of the model. */
async function findUnseen(folder: string): Promise<string | undefined> {
  if (
    !isVersion(basename(folder)) ||
    !(await stat(join(dirname(folder), TRITON_FILE)).catch(() => undefined))
  ) {
    return undefined;
  }
  return `the ${TRITON_FILE} beside its versions is ignored, because only one version was named: name the folder ${JSON.stringify(basename(dirname(folder)))} to use it`;
}

/** The folder of a version in a repository, such as `iris/2`, gives both names; files and folders of exports do not. */
function nameOf(path: string): ModelReference {
  const last = basename(path);
  if (/^(?:model\.onnx|onnx)$/i.test(last)) return nameOf(dirname(path));
  return /^\d[\w.-]*$/.test(last)
    ? { name: toName(basename(dirname(path))), version: last }
    : { name: toName(last), version: '1' };
}

/** Makes the name of a model from a file name. */
function toName(fileName: string): string {
  return (
    fileName
      .replace(/\.onnx$/i, '')
      .normalize('NFKD')
      .replace(/\p{Mark}+/gu, '')
      .replace(/[^\w.-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+|-+$/g, '') || 'model'
  );
}
