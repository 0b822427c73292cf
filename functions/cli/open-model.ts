import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { App } from '../../shared/app.ts';
import type { ModelReference } from '../../shared/models/model-repository.ts';
import { CommandError } from './console.ts';
import { openHost } from './open-host.ts';
import { openSingleModelStore } from './single-model-store.ts';

export interface OpenModel {
  readonly app: App;
  readonly reference: ModelReference;
  /** The name for messages: what was asked for. */
  readonly title: string;
}

/**
 * Opens what a command's `<model>` means: a model file or folder where there is one at that path, else a model of the
 * repository, as `name`, `name/version` or `name@alias`.
 *
 * @throws CommandError, InferenceError
 */
export async function openModel(argument: string, repository: string | undefined): Promise<OpenModel> {
  const found = await stat(argument).catch(() => undefined);
  if (found) return openPath(resolve(argument), found.isDirectory(), argument);
  const [, name, version, alias] = /^([^/@]+)(?:\/([^/@]+)|@([^/@]+))?$/.exec(argument) ?? [];
  if (name === undefined) {
    throw new CommandError(
      `There is no file or folder ${JSON.stringify(argument)}, and it is no name of a model.`,
    );
  }
  const { app } = openHost({ repository, environment: QUIET });
  const models = app.inference.repository;
  const reference =
    alias === undefined ? await models.resolve(name, version) : await models.resolveAlias(name, alias);
  return { app, reference, title: argument };
}

/** The log of a server is not what the user of a command wants to read. */
const QUIET = { LOG_LEVEL: 'silent', PRELOAD_MODELS: '', DEFAULT_MODEL: '' };

function openPath(path: string, isFolder: boolean, title: string): OpenModel {
  const folder = isFolder ? path : dirname(path);
  const file = isFolder ? undefined : basename(path);
  const reference = nameOf(path, isFolder);
  const store = openSingleModelStore(folder, file === 'model.onnx' ? undefined : file, reference);
  const { app } = openHost({ repository: folder, environment: QUIET, store });
  return { app, reference, title };
}

/** The folder of a version in a repository, `iris/2`, gives both names. */
function nameOf(path: string, isFolder: boolean): ModelReference {
  const last = basename(path);
  return isFolder && /^\d[\w.-]*$/.test(last)
    ? { name: toName(basename(dirname(path))), version: last }
    : { name: toName(last), version: '1' };
}

/** A name of a model out of a file name. */
function toName(fileName: string): string {
  return (
    fileName
      .replace(/\.onnx$/i, '')
      .replace(/[^\w.-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '') || 'model'
  );
}
