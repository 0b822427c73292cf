import { posix } from 'node:path';
import * as z from 'zod/mini';
import { ModelError } from '../model-config.ts';
import { type FormatFolder, MODEL_FILE, parseJsonFile, SETTINGS_FILE } from './format-folder.ts';

const settingsSchema = z.object({
  name: z.nullish(z.string()),
  implementation: z.nullish(z.string()),
  parameters: z.nullish(z.object({ uri: z.nullish(z.string()), version: z.nullish(z.string()) })),
  inputs: z.nullish(z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) }))),
});

/**
 * The members of MLServer's `model-settings.json` that matter. Source: MLServer 1.7.1, mlserver/settings.py
 * (`ModelSettings`).
 */
export type ModelSettings = z.infer<typeof settingsSchema>;

/**
 * Reads the `model-settings.json` of a folder, or else the one next to the versions.
 *
 * @returns undefined when there is no such file
 * @throws ModelError when it is not valid
 */
export async function readModelSettings(folder: FormatFolder): Promise<ModelSettings | undefined> {
  const text = (await folder.read(SETTINGS_FILE)) ?? (await folder.readShared(SETTINGS_FILE));
  return text === undefined ? undefined : await parseJsonFile(text, SETTINGS_FILE, settingsSchema);
}

/**
 * The graph that `parameters.uri` names, below the version's folder: the file itself, or the graph in the folder that
 * it names. A URI of another kind of model, or of one elsewhere, is ignored.
 * Source: MLServer 1.7.1, mlserver/utils.py (`get_model_uri`).
 *
 * @returns undefined if the graph is in one of the usual places
 * @throws ModelError when it names a graph that does not exist
 */
export function locateSettingsModel(
  { files }: FormatFolder,
  settings: ModelSettings | undefined,
): string | undefined {
  const path = localPath(settings?.parameters?.uri ?? '');
  if (path === undefined) return undefined;
  if (files.includes(path)) return isGraph(path) ? path : undefined;
  if (isGraph(path)) {
    throw new ModelError(
      `its ${SETTINGS_FILE} names the file ${JSON.stringify(path.slice(0, 100))}, which does not exist`,
    );
  }
  const graphs = files.filter((file) => file.startsWith(`${path}/`) && isGraph(file));
  const usual = graphs.find((file) => file === `${path}/${MODEL_FILE}`);
  return usual ?? (graphs.length === 1 ? graphs[0] : undefined);
}

function isGraph(path: string): boolean {
  return /\.onnx$/i.test(path);
}

/** The folder for models in the images of KServe and MLServer. */
const MOUNT = '/mnt/models/';

/** A path below the folder; undefined for the folder itself, and for paths elsewhere. */
function localPath(uri: string): string | undefined {
  const given = uri.replace(/^file:\/\//, '');
  const path = posix
    .normalize(given.startsWith(MOUNT) ? given.slice(MOUNT.length) : given)
    .replace(/\/$/, '');
  const isElsewhere = path.startsWith('/') || path.startsWith('..') || /^[a-z][a-z0-9+.-]*:\//i.test(given);
  return isElsewhere || path === '.' || path === '' ? undefined : path;
}
